import { familiesOf } from "../base/address.ts";
import type { Edge } from "../model/edge.ts";
import type { Service } from "../model/service.ts";
import { UP_IPV4, UP_IPV6 } from "../model/world.ts";
import { Candidates } from "./candidates.ts";
import { Kept } from "./kept.ts";
import { hasIpv4 } from "./over-ipv4.ts";
import { Nearest } from "./nearest.ts";
import { preferencesOf } from "./preferred.ts";
import { VerdictsByPlace } from "./place-verdicts.ts";
import type { Roster } from "./roster.ts";
import { hashText } from "./spread.ts";
import { watchState } from "./state.ts";

/** The edges of one inventory, prepared once for all choices among them. */
export interface Field {
  readonly edges: readonly Edge[];
  /** By `Edge.index`: 1 where it has an address of IPv4. */
  readonly hasIpv4: Uint8Array;
  /** By `Edge.index`: what an edge draws lots with. */
  readonly idHashes: Uint32Array;
  readonly nearest: Nearest;
  /** Room for the choice that is being made. */
  readonly candidates: Candidates;
  readonly kept: Kept;
  rosterOf(service: Service): Roster;
}

/** @param before of the inventory in use, whose distances are kept as far as they are the same */
export function createField(edges: readonly Edge[], before?: Pick<Field, "nearest">): Field {
  const rosters: Roster[] = [];
  /** Of services that are seen in several ways: all but the one that was asked for last. */
  const others = new Map<Service, Roster>();
  const nearest = Nearest.of(edges, before?.nearest);
  const candidates = new Candidates(nearest);
  const newRoster = (service: Service): Roster => {
    const listed = Uint16Array.from(service.edges);
    const { stateIn } = watchState({ service, listed });
    const preferences = preferencesOf(service, edges);
    return {
      service,
      listed,
      pool: nearest.poolOf(service.edges),
      families: service.edges.reduce((bits, index) => bits | familyBits(edges[index] as Edge), 0),
      stateIn,
      verdicts: new VerdictsByPlace({ service, listed, stateIn }, candidates),
      ...(preferences === undefined ? {} : { preferences }),
    };
  };
  return {
    edges,
    hasIpv4: Uint8Array.from(edges, (edge) => (hasIpv4(edge) ? 1 : 0)),
    idHashes: Uint32Array.from(edges, ({ id }) => hashText(id)),
    nearest,
    candidates,
    kept: new Kept(edges.length),
    rosterOf(service) {
      const last = rosters[service.index];
      if (last?.service === service) return last;
      const roster = others.get(service) ?? newRoster(service);
      if (last !== undefined) others.set(last.service, last);
      rosters[service.index] = roster;
      return roster;
    },
  };
}

/** Families that an edge is judged by, bits as in `World.up`. */
export function familyBits({ addresses }: Edge): number {
  return familiesOf(addresses).reduce((bits, family) => bits | (family === 4 ? UP_IPV4 : UP_IPV6), 0);
}
