import type { Family } from "./address.ts";

/** What players' reports add to distances; absent from a service: nothing. */
export interface ExperienceRules {
  /** The most that an edge can be made to look further away, kilometres. */
  readonly maxKm: number;
  /** At how many networks of a group players must report of an edge within a minute. */
  readonly networks: number;
}

/**
 * Viewers whose players are compared with each other: neighbours, who mostly share a provider. In bits of the
 * address, by family; what depends on it holds for such a network as a whole.
 */
export const GROUP_BITS: { readonly [family in Family]: number } = { 4: 18, 6: 32 };

/** Whose players count once, however many they are, in bits of the address. */
export const NETWORK_BITS: { readonly [family in Family]: number } = { 4: 24, 6: 48 };

/**
 * Kilometres by service and family, group and edge, in a `TripleTable` of `base/`: `[2 × Service.index + (IPv6 ? 1 :
 * 0), the group's first bits, Edge.index]`, and under the edge `ANY_EDGE` 1 for every group that has any.
 */
export type Corrections = Int32Array;

export const ANY_EDGE = -1;

/** What a player says of an edge. */
export interface PlayerReport {
  /** `Service.id` */
  readonly service: string;
  /** `Edge.id` */
  readonly edge: string;
  readonly bitsPerSecond: number;
}
