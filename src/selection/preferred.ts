import type { Client } from "../model/client.ts";
import type { Edge } from "../model/edge.ts";
import type { Located } from "../model/location.ts";
import type { Service } from "../model/service.ts";
import { matches, networksDepth } from "./rules.ts";

/** More than any distance and price: while a preferred edge has room, nobody else is better. */
export const PREFERRED_KM = 100_000;

/** The edges of one service that are preferred for some viewers. */
export interface Preferences {
  /** Indices of those that are preferred for this viewer; undefined for none. */
  preferredFor(client: Client, located: Located): ReadonlySet<number> | undefined;
  /** How many leading bits of the client's address that depends on, beyond those of its location. */
  depth(client: Client): number;
}

/** Undefined where no edge of the service is preferred for anybody. */
export function preferencesOf(service: Service, edges: readonly Edge[]): Preferences | undefined {
  const preferred = service.edges.flatMap((index) => {
    const rule = edges[index]?.preferredFor;
    return rule === undefined ? [] : [{ index, rule }];
  });
  if (preferred.length === 0) return undefined;
  return {
    preferredFor(client, located) {
      const ours = preferred.filter(({ rule }) => matches(rule, client, located));
      return ours.length === 0 ? undefined : new Set(ours.map(({ index }) => index));
    },
    depth: (client) => preferred.reduce((depth, { rule }) => Math.max(depth, networksDepth(rule, client)), 0),
  };
}
