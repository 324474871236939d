import { createHash } from "node:crypto";
import { finished, type Steps } from "../base/steps.ts";
import type { Service } from "../model/service.ts";
import type { Pool } from "./transport.ts";

/** Services grouped by who serves them and how he is found, and by how long their answers are kept. */
export interface Pools {
  readonly pools: readonly Pool[];
  /** Position in `pools` by `Service.index`. */
  readonly ofService: readonly number[];
}

type Served = Pick<Service, "edges" | "maxDistanceKm" | "rank"> & {
  readonly dns: Pick<Service["dns"], "ttlSeconds">;
};

/** References to edges that are looked at in a step: some tenths of a millisecond. */
const REFERENCES_AT_ONCE = 20_000;

/** The same services give the same pools in the same order, in every thread. */
export function* poolsInSteps(services: readonly Served[]): Steps<Pools> {
  const byHash = new Map<number, number[]>();
  const pools: Pool[] = [];
  const memberships: Uint8Array[] = [];
  const ofService: number[] = [];
  let looked = 0;
  for (const service of services) {
    const hash = hashOf(service.edges);
    const alike = byHash.get(hash) ?? [];
    byHash.set(hash, alike);
    const known = alike.find((position) =>
      isOf(service, pools[position] as Pool, memberships[position] as Uint8Array),
    );
    ofService.push(known ?? pools.length);
    if (known === undefined) {
      const { edges, maxDistanceKm, dns } = service;
      alike.push(pools.length);
      pools.push({ edges, maxDistanceKm, ttlSeconds: dns.ttlSeconds, isPriced: isPriced(service) });
      memberships.push(membershipOf(edges));
    }
    looked += service.edges.length;
    if (looked < REFERENCES_AT_ONCE) continue;
    looked = 0;
    yield;
  }
  return { pools, ofService };
}

export function poolsOf(services: readonly Served[]): Pools {
  return finished(poolsInSteps(services));
}

/** Which pool is now what each was before, by the services that are in them: as `Demand.renumber` takes it. */
export function successorsOf(
  before: ReadonlyMap<string, number>,
  now: ReadonlyMap<string, number>,
): ReadonlyMap<number, number> {
  const successors = new Map<number, number>();
  for (const [serviceId, pool] of before) {
    const next = now.get(serviceId);
    if (next !== undefined && !successors.has(pool)) successors.set(pool, next);
  }
  return successors;
}

function isPriced({ rank }: Served): boolean {
  return rank === "nearest";
}

/** Whatever the order. */
function hashOf(edges: readonly number[]): number {
  let hash = edges.length;
  for (let i = 0; i < edges.length; i++) {
    const mixed = Math.imul((edges[i] as number) + 1, 0x9e3779b1);
    hash = (hash + Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b)) | 0;
  }
  return hash;
}

/** 1 for each edge, by its index. */
function membershipOf(edges: readonly number[]): Uint8Array {
  const membership = new Uint8Array(edges.reduce((most, edge) => Math.max(most, edge), -1) + 1);
  for (const edge of edges) membership[edge] = 1;
  return membership;
}

/** A service names no edge twice. */
function isOf(service: Served, pool: Pool, membership: Uint8Array): boolean {
  const { edges, maxDistanceKm, dns } = service;
  if (isPriced(service) !== pool.isPriced) return false;
  if (edges.length !== pool.edges.length || maxDistanceKm !== pool.maxDistanceKm) return false;
  if (dns.ttlSeconds !== pool.ttlSeconds) return false;
  for (let i = 0; i < edges.length; i++) if (membership[edges[i] as number] !== 1) return false;
  return true;
}

/**
 * The same for the same edges, reach, time to live and use of prices, in whatever order they are listed.
 * @param ids of edges, by index
 */
export function poolName(
  { edges, maxDistanceKm, ttlSeconds, isPriced }: Pool,
  ids: readonly string[],
): string {
  const names = edges.map((edge) => ids[edge] as string).sort((a, b) => (a < b ? -1 : 1));
  return createHash("sha1")
    .update(JSON.stringify([names, String(maxDistanceKm), ttlSeconds, isPriced]))
    .digest("base64");
}
