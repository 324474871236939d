// One engine, asked slice by slice by run.mjs: in a process of its own, so that nothing is compiled or kept for
// another.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "../../dist/config/load.js";
import { openGeo } from "../../dist/geo/geo.js";
import { createRedirector } from "../../dist/engine/redirector.js";
import { inScratch } from "../lib/process.mjs";
import { randomFrom, randomSubnet } from "../lib/random.mjs";
import { CITIES } from "../selection/cities.mjs";

/**
 * @typedef {object} Order
 * @property {boolean} isNew asks an engine that has seen nobody yet
 * @property {number} from the first client
 * @property {number} to and the one after the last
 */

const HOSTNAME = "live.cdn.example.net";
const [edgeCount = 0, clientCount = 0] = process.argv.slice(2, 4).map(Number);
const isPriced = process.argv[4] === "priced";
const silent = { info() {}, warn: console.warn, error: console.error };

const geo = await openGeo({ files: { city: [], asn: [] }, places: [], log: silent });
const random = randomFrom(1);
const clients = Array.from({ length: clientCount }, () => ({
  address: { family: 4, bytes: Uint8Array.from([...randomSubnet(random), 0]) },
  prefixLength: 24,
  from: "client-subnet",
}));
const inventory = await inScratch(inventoryIn);
const world = worldOf();
/** @type {import("../../src/engine/redirector.ts").Redirector | undefined} */
let redirector;

process.on("message", (/** @type {Order} */ { isNew, from, to }) => {
  if (isNew || redirector === undefined) {
    redirector = createRedirector(geo.locate);
    redirector.take(inventory, world);
  }
  const before = process.cpuUsage();
  decideAll(redirector, from, to);
  const { user, system } = process.cpuUsage(before);
  process.send?.((user + system) / 1e6);
});
process.once("disconnect", () => geo.stop());
process.send?.("ready");

/**
 * Throws where a decision is not what it should be: a figure for wrong answers is worth nothing.
 * @param {import("../../src/engine/redirector.ts").Redirector} redirector
 * @param {number} from
 * @param {number} to
 */
function decideAll(redirector, from, to) {
  for (let i = from; i < to; i++) {
    const client = /** @type {any} */ (clients[i]);
    const decision = redirector.decide({ hostname: HOSTNAME, client }, "dns");
    if (decision?.outcome.kind !== "edges") throw new Error("a decision without an edge");
  }
}

/** With edges in the world's largest cities. @param {string} folder */
async function inventoryIn(folder) {
  const file = join(folder, "edgeward.yaml");
  writeFileSync(file, JSON.stringify(configuration()));
  const loaded = await loadConfig(file, { environment: {}, nowMs: Date.now(), generation: 1 });
  if (loaded.kind !== "ok" || loaded.inventory === undefined) throw new Error(JSON.stringify(loaded));
  return loaded.inventory;
}

/** Every second edge is 40 to 99 % full, or nobody has a price and nobody knows any load. */
function worldOf() {
  const loadRatio = Float64Array.from({ length: edgeCount }, (_, index) =>
    isPriced && index % 2 === 0 ? (400 + ((index * 7) % 600)) / 1000 : Number.NaN,
  );
  return {
    generation: 1,
    up: new Uint8Array(edgeCount).fill(1),
    state: new Uint8Array(edgeCount),
    unsteady: new Uint8Array(edgeCount),
    loadRatio,
    priceKm: loadRatio.map((ratio) => (ratio > 0.7 ? 4000 * ((ratio - 0.7) / 0.3) ** 2 : 0)),
    // So little that the world stays as it is, however many are sent.
    staleStreams: new Map(),
    perViewer: loadRatio.map((ratio) => (Number.isNaN(ratio) ? 0 : 1e-12)),
    limit: new Float64Array(edgeCount).fill(1),
    sent: {
      counts: new Int32Array(new SharedArrayBuffer(8 * edgeCount)),
      before: new Int32Array(2 * edgeCount),
      slot: Uint16Array.from({ length: edgeCount }, (_, index) => index),
      viewersPerAnswer: new Float32Array(edgeCount).fill(1),
    },
  };
}

function configuration() {
  const edges = CITIES.slice(0, edgeCount).map(({ location: { latitude, longitude } }, index) => [
    `edge${index}`,
    {
      location: { latitude, longitude },
      addresses: [`198.18.${index >> 8}.${index & 255}`],
      capacity: { viewers: 1000 },
      probe: { type: "none" },
      load: { type: "push", staleAfter: "1h" },
    },
  ]);
  return {
    listen: { dns: ["127.0.0.1:8053"], http: ["127.0.0.1:8080"], ops: "127.0.0.1:9153" },
    zones: { "cdn.example.net": { nameservers: ["ns1.example.org"], contact: "hostmaster@example.net" } },
    edges: Object.fromEntries(edges),
    services: { live: { hostnames: [HOSTNAME], rank: "nearest" } },
  };
}
