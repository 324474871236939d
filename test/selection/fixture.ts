import { parseAddress } from "../../src/base/address.ts";
import type { Client } from "../../src/model/client.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { Located, Location } from "../../src/model/location.ts";
import type { Service } from "../../src/model/service.ts";
import { UNSTEADY_DOUBT, UNSTEADY_RUSH, type World } from "../../src/model/world.ts";
import { createField, type Field } from "../../src/selection/field.ts";
import { plainEdge, plainService } from "../inventory.ts";

/** An edge at a place; everything that selection does not read is plain. */
export function edgeAt(id: string, index: number, latitude: number, longitude: number, weight = 1): Edge {
  return plainEdge(id, {
    index,
    location: { latitude, longitude },
    addresses: [{ family: 4, bytes: Uint8Array.of(192, 0, 2, index) }],
    url: `http://${id}.example.net`,
    weight,
  });
}

export const AMSTERDAM = edgeAt("ams1", 0, 52.37, 4.9);
export const SINGAPORE = edgeAt("sin1", 1, 1.35, 103.82);
export const NEW_YORK = edgeAt("nyc1", 2, 40.71, -74.01);
export const THREE_EDGES = [AMSTERDAM, SINGAPORE, NEW_YORK];

export function fieldOf(edges: readonly Edge[]): Field {
  return createField(edges);
}

export function serviceOf(edges: readonly Edge[], rules: Partial<Service> = {}): Service {
  return plainService({ edges: edges.map((edge) => edge.index), ...rules });
}

/** Everyone up, active and of unknown load, but for what is said. */
export function worldOf(
  edges: readonly Edge[],
  said: {
    down?: Edge[];
    drain?: Edge[];
    off?: Edge[];
    unsteady?: Edge[];
    rush?: Edge[];
    load?: [Edge, number][];
    price?: [Edge, number][];
  } = {},
): World {
  const loadRatio = new Float64Array(edges.length).fill(Number.NaN);
  for (const [edge, ratio] of said.load ?? []) loadRatio[edge.index] = ratio;
  return {
    generation: 1,
    up: Uint8Array.from(edges, (edge) => (said.down?.includes(edge) ? 0 : 1)),
    state: Uint8Array.from(edges, (edge) =>
      said.drain?.includes(edge) ? 1 : said.off?.includes(edge) ? 2 : 0,
    ),
    unsteady: Uint8Array.from(edges, (edge) =>
      said.unsteady?.includes(edge) ? UNSTEADY_DOUBT : said.rush?.includes(edge) ? UNSTEADY_RUSH : 0,
    ),
    loadRatio,
    priceKm: Float64Array.from(edges, (edge) => said.price?.find(([priced]) => priced === edge)?.[1] ?? 0),
    staleStreams: new Map(),
    perViewer: new Float64Array(edges.length),
    limit: new Float64Array(edges.length).fill(1),
    sent: {
      counts: new Int32Array(edges.length * 2),
      before: new Int32Array(edges.length * 2),
      slot: Uint16Array.from(edges, (edge) => edge.index),
      viewersPerAnswer: new Float32Array(edges.length).fill(1),
    },
  };
}

export function clientOf(address: string, prefixLength?: number): Client {
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new Error(`not an address: ${address}`);
  return {
    address: parsed,
    prefixLength: prefixLength ?? (parsed.family === 4 ? 32 : 128),
    from: "source",
  };
}

export function locatedAt(location: Partial<Location>, prefixLength = 16): Located {
  return { location: { layer: "city", ...location }, prefixLength };
}

export const LONDON = locatedAt({ latitude: 51.51, longitude: -0.13, country: "GB", continent: "EU" });
export const TOKYO = locatedAt({ latitude: 35.68, longitude: 139.69, country: "JP", continent: "AS" });
export const NOWHERE: Located = { location: { layer: "none" }, prefixLength: 8 };
