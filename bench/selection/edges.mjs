import { countryAt } from "./cities.mjs";

/**
 * The scenario's edges as the engine knows edges.
 * @param {import("./types.ts").Scenario} scenario
 * @returns {import("./types.ts").SimulatedEdge[]}
 */
export function edgesOf({ edges, bitsPerViewer }) {
  return edges.map(({ id, latitude, longitude, capacity }, index) => ({
    id,
    index,
    location: { latitude, longitude },
    country: countryAt({ latitude, longitude }),
    addresses: [{ family: 4, bytes: Uint8Array.of(192, 0, 2 + (index >> 8), index & 255) }],
    url: `http://${id}.example.net`,
    tags: [],
    capacity: { viewers: capacity, bandwidth: capacity * bitsPerViewer },
    weight: 1,
    state: "active",
    probe: { type: "none" },
    load: [{ type: "push", staleAfterMs: 30_000 }],
  }));
}
