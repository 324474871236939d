import { isDeepStrictEqual } from "node:util";
import { familiesOf, formatAddress } from "../base/address.ts";
import { DOWN_ADDRESSES_MAX } from "../base/down-addresses.ts";
import type { Family } from "../model/address.ts";
import type { Health, ProbedHealth } from "../model/condition.ts";
import type { Edge } from "../model/edge.ts";
import type { Log } from "../model/log.ts";
import { isInDoubt, together, type Verdict } from "./rise-fall.ts";
import { keyOf, type Target, targetsOf } from "./target.ts";
import type { Track } from "./track.ts";

/** What the verdicts on its addresses say of an edge, told whenever that changes. */
export interface EdgeNews {
  /** Tells everything once more. */
  take(edges: readonly Edge[]): void;
  /** Of one of its addresses this was thought before. */
  readonly judged: (track: Track, before: Verdict) => void;
}

export interface EdgeNewsOptions {
  readonly log: Pick<Log, "info" | "warn">;
  readonly onHealth: OnHealth;
  readonly onDownAddresses: OnDownAddresses | undefined;
  /** Those of now, by `keyOf` their target. */
  readonly tracks: ReadonlyMap<string, Track>;
}

/** One health per edge and family. */
export type OnHealth = (edgeId: string, probed: ProbedHealth) => void;

/**
 * @param bits by position in `Edge.addresses`, of the first `DOWN_ADDRESSES_MAX`: those that are down while another of
 * their family is up
 */
export type OnDownAddresses = (edgeId: string, bits: number) => void;

export function createEdgeNews(options: EdgeNewsOptions): EdgeNews {
  const { log, onHealth, onDownAddresses, tracks } = options;
  let byEdge = new Map<string, readonly string[]>();
  const healthTold = new Map<string, ProbedHealth>();
  const downTold = new Map<string, number>();

  const tracksOf = (edgeId: string): (Track | undefined)[] =>
    (byEdge.get(edgeId) ?? []).map((key) => tracks.get(key));

  const verdictsOf = (edgeId: string, family: Family): Verdict[] =>
    tracksOf(edgeId).flatMap((track) => (track?.target.family === family ? [track.verdict] : []));

  const tellHealth = (edgeId: string, family: Family): void => {
    const key = `${edgeId} ${family}`;
    const probed = probedHealth(family, verdictsOf(edgeId, family));
    if (isDeepStrictEqual(healthTold.get(key), probed)) return;
    healthTold.set(key, probed);
    onHealth(edgeId, probed);
  };

  const tellDown = (edgeId: string): void => {
    const bits = downBits(tracksOf(edgeId));
    if (downTold.get(edgeId) === bits) return;
    downTold.set(edgeId, bits);
    onDownAddresses?.(edgeId, bits);
  };

  const tellAll = (edge: Edge): void => {
    for (const family of familiesOf(edge.addresses)) {
      if (edge.probe.type === "none") onHealth(edge.id, { family, health: "up" });
      else tellHealth(edge.id, family);
    }
  };

  return {
    take(edges) {
      byEdge = new Map(edges.map((edge) => [edge.id, targetsOf(edge).map(keyOf)]));
      healthTold.clear();
      downTold.clear();
      edges.forEach(tellAll);
      for (const { id } of edges) tellDown(id);
    },
    judged({ target, verdict }, before) {
      const { edgeId, family } = target;
      const isOneOfSeveral = verdictsOf(edgeId, family).length > 1;
      if (before.health !== verdict.health && isOneOfSeveral) logAddress(log, target, before.health, verdict);
      tellHealth(edgeId, family);
      tellDown(edgeId);
    },
  };
}

/** Of one address among several, whose family may be up all the same. */
function logAddress(
  log: Pick<Log, "info" | "warn">,
  { edgeId, address }: Target,
  from: Health,
  { health: to, reason, detail }: Verdict,
): void {
  const isNews = to === "down" || from === "down";
  if (address === undefined || !isNews) return;
  const about = { edge: edgeId, address: formatAddress(address), from, to };
  if (to === "down") log.warn({ ...about, reason, detail }, "edge address health changed");
  else log.info(about, "edge address health changed");
}

function probedHealth(family: Family, verdicts: readonly Verdict[]): ProbedHealth {
  const { health, reason, detail } = together(verdicts);
  return {
    family,
    health,
    ...(reason && { reason }),
    ...(detail && { detail }),
    ...(isInDoubt(verdicts) && { inDoubt: true }),
  };
}

/** @param tracks of one edge, in the order of its addresses */
function downBits(tracks: readonly (Track | undefined)[]): number {
  const upFamilies = new Set(
    tracks.flatMap((track) => (track?.verdict.health === "up" ? [track.target.family] : [])),
  );
  return tracks
    .slice(0, DOWN_ADDRESSES_MAX)
    .map((track) => track?.verdict.health === "down" && upFamilies.has(track.target.family))
    .reduce((bits, isDown, i) => (isDown ? bits | (1 << i) : bits), 0);
}
