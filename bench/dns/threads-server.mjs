// Answers DNS with as many threads as are asked for: node threads-server.mjs CONFIGURATION THREADS
import { loadConfig } from "../../dist/config/load.js";
import { createDecisionTotals } from "../../dist/engine/decision-counts.js";
import { startDnsThreads } from "../../dist/threads/dns-threads.js";
import { openGeo } from "../../dist/geo/geo.js";

const [file = "", threads = "1"] = process.argv.slice(2);
const log = { info() {}, warn: console.warn, error: console.error };
const loaded = await loadConfig(file, { environment: {}, nowMs: Date.now(), generation: 1 });
if (loaded.kind !== "ok") throw new Error(JSON.stringify(loaded.problems[0]));
const { inventory } = loaded;
const geo = await openGeo({ files: inventory.geoip, places: inventory.places, log });
const dns = await startDnsThreads({
  endpoints: inventory.listen.dns,
  inventory,
  world: worldOf(inventory.edges.length),
  geo,
  decisions: createDecisionTotals(),
  log,
  udpThreads: Number(threads),
});
process.stdout.write("answers\n");
process.on("SIGTERM", () => void dns.stop().then(() => process.exit()));

/** Everyone up, and of unknown load. @param {number} edges @returns {import("../../src/model/world.ts").World} */
function worldOf(edges) {
  const shared = new Int32Array(new SharedArrayBuffer(8 * edges));
  return {
    generation: 1,
    up: new Uint8Array(edges).fill(1),
    state: new Uint8Array(edges),
    unsteady: new Uint8Array(edges),
    loadRatio: new Float64Array(edges).fill(Number.NaN),
    priceKm: new Float64Array(edges),
    staleStreams: new Map(),
    perViewer: new Float64Array(edges),
    limit: new Float64Array(edges).fill(1),
    sent: {
      counts: shared,
      before: new Int32Array(2 * edges),
      slot: Uint16Array.from({ length: edges }, (_, edge) => edge),
      viewersPerAnswer: new Float32Array(edges).fill(1),
    },
  };
}
