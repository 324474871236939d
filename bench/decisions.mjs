// npm run bench -- decisions
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "../dist/config/load.js";
import { openGeo } from "../dist/geo/geo.js";
import { createRedirector } from "../dist/redirector.js";
import { inScratch } from "./lib/process.mjs";
import { publish } from "./lib/publish.mjs";
import { randomFrom, randomSubnet } from "./lib/random.mjs";
import { median } from "./lib/statistics.mjs";
import { CITIES } from "./selection/cities.mjs";

const EDGE_COUNTS = [50, 500];
const CLIENTS = 100_000;
const ROUNDS = 5;
const HOSTNAME = "live.cdn.example.net";
const silent = { info() {}, warn: console.warn, error: console.error };

const geo = await openGeo({ files: { city: [], asn: [] }, places: [], log: silent });
const random = randomFrom(1);
const clients = Array.from({ length: CLIENTS }, () => ({
  address: { family: 4, bytes: Uint8Array.from([...randomSubnet(random), 0]) },
  prefixLength: 24,
  from: "client-subnet",
}));

const rows = [];
for (const edgeCount of EDGE_COUNTS) rows.push(...(await inScratch((folder) => figures(edgeCount, folder))));
const atFirstSight = rows.filter(([, when]) => when === "at first sight");
const seenBefore = rows.filter(([, when]) => when === "seen before");
publish({
  bench: "decisions",
  question: "How many decisions does a CPU second make?",
  tables: [
    {
      title: `rank: nearest, half of the edges loaded, ${CLIENTS.toLocaleString("en-US")} random /24s, median of ${ROUNDS} rounds`,
      columns: ["edges", "clients", "per CPU second with prices", "without", "with / without"],
      rows: [...atFirstSight, ...seenBefore],
    },
  ],
});
geo.stop();

/**
 * @param {number} edgeCount
 * @param {string} folder
 */
async function figures(edgeCount, folder) {
  // Whoever comes first would find places for the others, and have the code compiled.
  decideAll(await engine(edgeCount, folder, true), clients);
  /** @type {number[][][]} */
  const [first, again] = [[], []].map(() => [[], []]);
  // In turns, so that whatever else the machine does meets both.
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, priced] of [true, false].entries()) {
      const redirector = await engine(edgeCount, folder, priced);
      for (const seconds of [first, again]) seconds[i].push(cpuOf(() => decideAll(redirector, clients)));
    }
  const row = (/** @type {string} */ when, /** @type {number[]} */ [priced, plain]) => [
    String(edgeCount),
    when,
    CLIENTS / priced,
    CLIENTS / plain,
    plain / priced,
  ];
  return [row("at first sight", first.map(median)), row("seen before", again.map(median))];
}

/**
 * Throws where a decision is not what it should be: a figure for wrong answers is worth nothing.
 * @param {import("../src/redirector.ts").Redirector} redirector
 * @param {readonly any[]} clients
 */
function decideAll(redirector, clients) {
  for (const client of clients) {
    const decision = redirector.decide({ hostname: HOSTNAME, client }, "dns");
    if (decision?.outcome.kind !== "edges") throw new Error("a decision without an edge");
  }
}

/** @param {() => void} work @returns {number} seconds of CPU time, all threads */
function cpuOf(work) {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/**
 * The engine with edges in the world's largest cities; every second one is 40 to 99 % full.
 * @param {number} edgeCount
 * @param {string} folder
 * @param {boolean} priced left out: prices and loads
 */
async function engine(edgeCount, folder, priced) {
  const file = join(folder, "edgeward.yaml");
  writeFileSync(file, JSON.stringify(configuration(edgeCount)));
  const loaded = await loadConfig(file, { environment: {}, nowMs: Date.now(), generation: 1 });
  if (loaded.kind !== "ok" || loaded.inventory === undefined) throw new Error(JSON.stringify(loaded));
  const redirector = createRedirector(geo.locate);
  redirector.take(loaded.inventory, worldOf(edgeCount, priced));
  return redirector;
}

/** @param {number} edgeCount @param {boolean} priced */
function worldOf(edgeCount, priced) {
  const loadRatio = Float64Array.from({ length: edgeCount }, (_, index) =>
    priced && index % 2 === 0 ? (400 + ((index * 7) % 600)) / 1000 : Number.NaN,
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

/** @param {number} edgeCount */
function configuration(edgeCount) {
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
