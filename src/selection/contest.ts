import type { Service } from "../model/service.ts";
import type { World } from "../model/world.ts";
import type { Corrected } from "./corrections.ts";
import type { Field } from "./field.ts";
import type { Roster } from "./roster.ts";
import { networkKey, rendezvousDraw } from "./spread.ts";
import type { Viewer } from "./viewer.ts";

/** One choice that is being made: who asks for what, among whom, in which world. */
export interface Contest {
  readonly service: Service;
  readonly viewer: Viewer;
  readonly field: Field;
  readonly roster: Roster;
  readonly world: World;
  /** Of the stream's name, where one is known and matters. */
  readonly stream: number | undefined;
  /** Those that are preferred for this viewer. */
  readonly preferred: ReadonlySet<number> | undefined;
  /** What players' reports add to distances for this viewer. */
  readonly corrected: Corrected | undefined;
  /** Scores this close to each other are equal. */
  readonly bandKm: number;
  /** How many edges are wanted. */
  readonly most: number;
  /** How many bits of the viewer's address lots are drawn by. */
  readonly drawPrefixLength: number;
}

/** The viewer's fixed lot for an edge, for its weight times `factor`: the lower, the better. */
export function drawOf(contest: Contest, edge: number, factor: number): number {
  return drawWith(drawKey(contest), contest.field, edge, factor);
}

/** The same, for the key of whoever draws. */
export function drawWith(key: number, { edges, idHashes }: Drawn, edge: number, factor: number): number {
  const weight = edges[edge]?.weight ?? 0;
  return rendezvousDraw(key, idHashes[edge] as number, weight * factor);
}

type Drawn = Pick<Field, "edges" | "idHashes">;

function drawKey({ stream, viewer, drawPrefixLength }: Contest): number {
  return stream ?? networkKey(viewer.client.address, drawPrefixLength);
}
