import { nameAt } from "../dns/questions.mjs";

/**
 * All edges for every service; two addresses each, one edge in an answer.
 * @param {number} services
 * @param {number} edges
 */
export function largeConfiguration(services, edges) {
  return {
    edges: Object.fromEntries(
      Array.from({ length: edges }, (_, i) => [
        `e${i}`,
        {
          location: { latitude: ((i * 37) % 120) - 60, longitude: ((i * 53) % 360) - 180 },
          addresses: [`198.18.${i >> 8}.${i & 0xff}`, `198.19.${i >> 8}.${i & 0xff}`],
          url: `http://e${i}.edge.example.net`,
          probe: { type: "none" },
        },
      ]),
    ),
    services: Object.fromEntries(
      Array.from({ length: services }, (_, i) => [
        `s${i}`,
        { hostnames: [nameAt(i)], rank: "nearest", dns: { ttl: "20s", answers: 1 } },
      ]),
    ),
  };
}
