import { familiesOf } from "../base/address.ts";
import type { Edge } from "../model/edge.ts";
import type { Service } from "../model/service.ts";
import { UP_IPV4, UP_IPV6 } from "../model/world.ts";
import { Candidates } from "./candidates.ts";
import { Kept } from "./kept.ts";
import { Nearest, type Pool } from "./nearest.ts";
import { preferencesOf } from "./preferred.ts";
import { VerdictsByPlace } from "./place-verdicts.ts";
import type { Roster } from "./roster.ts";
import { hashText } from "./spread.ts";
import { watchState } from "./state.ts";

/** The edges of one inventory, prepared once for all choices among them. */
export interface Field {
  readonly edges: readonly Edge[];
  /** By `Edge.index`: what an edge draws lots with. */
  readonly idHashes: Uint32Array;
  /** Room for the choice that is being made. */
  readonly candidates: Candidates;
  readonly kept: Kept;
  rosterOf(service: Service): Roster;
}

export function createField(edges: readonly Edge[]): Field {
  const rosters: Roster[] = [];
  /** Of services that two doors of a thread see with different edges: the one that was asked for before. */
  const others: (Roster | undefined)[] = [];
  const pools = new Map<string, Pool>();
  const poolOf = (members: readonly number[]): Pool => {
    const sorted = members.toSorted((a, b) => a - b);
    const key = sorted.join(" ");
    const pool = pools.get(key) ?? { id: pools.size + 1, members: Uint16Array.from(sorted) };
    pools.set(key, pool);
    return pool;
  };
  const candidates = new Candidates(new Nearest(edges));
  return {
    edges,
    idHashes: Uint32Array.from(edges, ({ id }) => hashText(id)),
    candidates,
    kept: new Kept(edges.length),
    rosterOf(service) {
      const known = rosters[service.index];
      if (known?.service === service) return known;
      const other = others[service.index];
      if (other?.service === service) return other;
      const listed = Uint16Array.from(service.edges);
      const { stateIn } = watchState({ service, listed });
      const preferences = preferencesOf(service, edges);
      const roster: Roster = {
        service,
        listed,
        pool: poolOf(service.edges),
        families: service.edges.reduce((bits, index) => bits | familyBits(edges[index] as Edge), 0),
        stateIn,
        verdicts: new VerdictsByPlace({ service, listed, stateIn }, candidates),
        ...(preferences === undefined ? {} : { preferences }),
      };
      others[service.index] = known;
      rosters[service.index] = roster;
      return roster;
    },
  };
}

/** Families that an edge is judged by, bits as in `World.up`. */
export function familyBits({ addresses }: Edge): number {
  return familiesOf(addresses).reduce((bits, family) => bits | (family === 4 ? UP_IPV4 : UP_IPV6), 0);
}
