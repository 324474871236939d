import type { Edge } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Service } from "../model/service.ts";
import type { Zone } from "../model/zone.ts";
import { UP_IPV4, UP_IPV6, type World } from "../model/world.ts";

/** What a thread serves in one act of a rehearsal. */
export interface Situation {
  readonly inventory: Inventory;
  readonly world: World;
}

/**
 * Another configuration that may yet come, with the first world that it is in: in every other act with more edges,
 * all around the world. Queries are neither logged nor limited.
 * @param inventory with one edge at least
 * @param act 0 or more
 */
export function situationIn({ inventory, world }: Situation, act: number): Situation {
  const more = act % 2 === 0 ? 0 : MORE_EDGES;
  const { queryLog: _log, rateLimit: _limit, ...dns } = inventory.dns;
  const edges = [...inventory.edges, ...Array.from({ length: more }, (_, i) => furtherEdge(inventory, i))];
  const all = edges.map(({ index }) => index);
  const services = inventory.services
    .slice(0, MOST_SERVICES)
    .map((service): Service => (more === 0 ? service : { ...service, edges: all }));
  const zones = inventory.zones.map(
    (zone): Zone => ({ ...zone, records: zone.records.slice(0, MOST_RECORDS) }),
  );
  const next = { ...inventory, dns, zones, edges, services };
  return { inventory: next, world: worldIn(next, world, act) };
}

/** More than are kept ready for a place, so that all of what depends on it is rehearsed. */
const MORE_EDGES = 64;
/** Code is the same for all: thousands would only take time. */
const MOST_SERVICES = 20;
/** Of a zone. */
const MOST_RECORDS = 100;

function furtherEdge({ edges }: Inventory, i: number): Edge {
  const like = edges[i % edges.length] as Edge;
  const location = {
    ...like.location,
    latitude: ((i * 37) % 130) - 60.5,
    longitude: ((i * 101) % 360) - 179.5,
  };
  return { ...like, index: edges.length + i, id: `rehearsal-${i}`, location };
}

/**
 * A world of the same edges in which some have prices, or are down, by the act. What is counted in it is counted in
 * memory of its own.
 * @param like another one, of no matter which edges
 */
export function worldIn({ edges }: Inventory, like: World, act: number): World {
  const edgeCount = edges.length;
  const { corrections: _corrections, keptUp: _keptUp, heat, ...rest } = like;
  const isDown = (edge: number): boolean => act % 4 === 2 && edge % 5 === 1;
  const kmApart = act % 3 === 0 ? 0 : 33.25 * act;
  const numbers = (value: number): Float64Array => new Float64Array(edgeCount).fill(value);
  // As worlds come: cloned, so that they are laid out like the real ones.
  return structuredClone({
    ...rest,
    up: Uint8Array.from({ length: edgeCount }, (_, edge) => (isDown(edge) ? 0 : UP_IPV4 | UP_IPV6)),
    state: new Uint8Array(edgeCount),
    unsteady: Uint8Array.from({ length: edgeCount }, (_, edge) => Number(isDown(edge + 1))),
    loadRatio: numbers(0.5),
    priceKm: Float64Array.from({ length: edgeCount }, (_, edge) => kmApart * (edge % 4)),
    perViewer: numbers(0),
    limit: numbers(1),
    staleStreams: new Map(),
    returning: new Map(),
    sent: {
      counts: new Int32Array(2 * edgeCount),
      before: new Int32Array(2 * edgeCount),
      slot: Uint16Array.from({ length: edgeCount }, (_, edge) => edge),
      viewersPerAnswer: new Float32Array(edgeCount).fill(1),
    },
    ...(heat === undefined ? {} : { heat: new Int32Array(heat.length) }),
  });
}
