import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { SITES } from "../lib/sites.mjs";
import { pause, withEdgeward } from "./server.mjs";

const HANGING = 1000;
const STALE_AFTER_SECONDS = 30;
const WATCHED_SECONDS = 40;

/** @type {readonly import("./fault.ts").Fault[]} */
export const faults = [
  {
    name: "hanging-loads",
    what: `${HANGING.toLocaleString("en")} load sources that accept and never answer, read every 5 s with a timeout of 2 s, beside ${SITES.length} that answer`,
    run: hangingLoads,
  },
];

/** @param {string} folder @returns {Promise<import("./fault.ts").Outcome>} */
async function hangingLoads(folder) {
  const silent = await listening(createServer(() => {}));
  const answering = await listening(createHttpServer((_, reply) => reply.end("Active connections: 7 \n")));
  const more = {
    probing: { allowedNetworks: ["127.0.0.0/8"] },
    edges: edgesWith(answering.port, silent.port),
  };
  try {
    return await withEdgeward(folder, more, async ({ ports }) => {
      const ages = async () => {
        const response = await fetch(`http://127.0.0.1:${ports.ops}/v1/edges`);
        const edges = /** @type {{ id: string, reportAgeMs?: number }[]} */ (await response.json());
        return SITES.map((site) => (edges.find(({ id }) => id === site.id)?.reportAgeMs ?? Infinity) / 1000);
      };
      await pause(STALE_AFTER_SECONDS * 1000);
      let oldest = 0;
      for (let second = 0; second < WATCHED_SECONDS; second++) {
        oldest = Math.max(oldest, ...(await ages()));
        await pause(1000);
      }
      return {
        held: oldest < STALE_AFTER_SECONDS,
        figure: `the oldest report of those that answer was ${oldest.toFixed(1)} s old; stale at ${STALE_AFTER_SECONDS} s`,
      };
    });
  } finally {
    silent.close();
    answering.close();
  }
}

/**
 * The sites, whose load is read at the one port, and edges whose load is at the other.
 * @param {number} answering
 * @param {number} silent
 */
function edgesWith(answering, silent) {
  const edge = (/** @type {object} */ more, /** @type {number} */ port) => ({
    ...more,
    probe: { type: "none" },
    load: { type: "nginx-stub-status", url: `http://127.0.0.1:${port}/` },
  });
  const sites = SITES.map(({ id, latitude, longitude, addresses, url }) => [
    id,
    edge({ location: { latitude, longitude }, addresses, url }, answering),
  ]);
  const hanging = Array.from({ length: HANGING }, (_, i) => [
    `hanging${i}`,
    edge(
      {
        location: { latitude: (i % 120) - 60, longitude: (i * 7) % 180 },
        addresses: [`198.18.${i >> 8}.${i & 0xff}`],
      },
      silent,
    ),
  ]);
  return Object.fromEntries([...hanging, ...sites]);
}

/** @param {import("node:net").Server} server */
async function listening(server) {
  await new Promise((/** @type {(value?: undefined) => void} */ resolve) => {
    server.listen(0, "127.0.0.1", 4096, () => resolve());
  });
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return { port, close: () => void server.close() };
}
