import { createServer } from "node:net";
import { startLoad } from "../dns/load.mjs";
import { EXISTING_NAMES } from "../dns/questions.mjs";
import { startEdgeward } from "../lib/edgeward.mjs";
import { residentMiB } from "../lib/process.mjs";
import { SITES } from "../lib/sites.mjs";
import { askAtPace } from "./clients.mjs";
import { pause, withEdgeward } from "./server.mjs";

const TARGETS = 2000;
const PACE = 1000;
const REPORTS = 10_000;
/** Bodies that must steer nobody. */
const POISON = [
  '{"viewers":-1}',
  '{"viewers":1e309}',
  '{"viewers":"0"}',
  '{"viewers":0,"cpu":7}',
  '{"viewers":0,"at":4102444800000}',
  '{"__proto__":{"viewers":0}}',
  "[]",
  "{",
  "",
];
/** What a process may still grow by once its tables are full. */
const STEADY_MIB = 64;

/** @type {readonly import("./fault.ts").Fault[]} */
export const faults = [
  {
    name: "silent-targets",
    what: `${TARGETS.toLocaleString("en")} targets that accept and never answer, probed every 2 s; 1,000 queries per second`,
    run: silentTargets,
  },
  {
    name: "report-flood",
    what: `${REPORTS.toLocaleString("en")} poisoned load reports over HTTP, 32 at a time, after a right one; 200 queries per second`,
    run: reportFlood,
  },
  {
    name: "many-clients",
    what: "with a limit by network: 100,000 client subnets ask for 200 names for 20 s, as fast as they are answered",
    run: manyClients,
  },
];

/** @param {string} folder */
async function silentTargets(folder) {
  const silent = createServer(() => {});
  await new Promise((/** @type {(value?: undefined) => void} */ resolve) => {
    silent.listen(0, "127.0.0.1", 4096, () => resolve());
  });
  const { port } = /** @type {import("node:net").AddressInfo} */ (silent.address());
  const delays = async (/** @type {object} */ more) => {
    const server = await startEdgeward(folder, { hostnames: EXISTING_NAMES, more });
    const load = await startLoad();
    const order = { port: server.ports.dns, pid: server.child.pid, mix: /** @type {const} */ ("one subnet") };
    const asked = await load.run({ ...order, seconds: 6, perSecond: PACE });
    await load.stop();
    await server.child.stop();
    return asked;
  };
  const calm = await delays({});
  const busy = await delays({ probing: { allowedNetworks: ["127.0.0.0/8"] }, edges: withTargets(port) });
  silent.close();
  const told = (/** @type {typeof calm} */ { p50Ms, p99Ms, lost }) =>
    `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms, ${lost} lost`;
  return {
    held: busy.lost === 0 && busy.answers > 0,
    figure: `without: ${told(calm)}; with: ${told(busy)}`,
  };
}

/** The sites, and edges that say nothing. @param {number} port @returns {object} */
function withTargets(port) {
  const sites = SITES.map(({ id, latitude, longitude, addresses, url }) => [
    id,
    { location: { latitude, longitude }, addresses, url, probe: { type: "none" } },
  ]);
  const silent = Array.from({ length: TARGETS }, (_, i) => [
    `silent${i}`,
    {
      location: { latitude: (i % 120) - 60, longitude: (i * 7) % 180 },
      addresses: [`198.18.${i >> 8}.${i & 0xff}`],
      url: `http://127.0.0.1:${port}`,
      probe: { type: "http", path: `/${i}`, interval: "2s", timeout: "1s", fall: 2, rise: 2 },
    },
  ]);
  return Object.fromEntries([...sites, ...silent]);
}

/** @param {string} folder @returns {Promise<import("./fault.ts").Outcome>} */
function reportFlood(folder) {
  const more = { defaults: { load: { type: "push", staleAfter: "300s" }, capacity: { viewers: 100 } } };
  return withEdgeward(folder, more, async ({ ports }) => {
    const put = async (/** @type {string} */ body) => {
      const headers = { "content-type": "application/json" };
      const url = `http://127.0.0.1:${ports.ops}/v1/edges/ams/load`;
      const response = await fetch(url, { method: "PUT", headers, body });
      await response.arrayBuffer();
      return response.status;
    };
    const loadRatio = async () => {
      const response = await fetch(`http://127.0.0.1:${ports.ops}/v1/edges/ams`);
      return (await response.json()).loadRatio;
    };
    const good = await put('{"viewers":60}');
    const asked = askAtPace({ port: ports.dns, from: "127.0.4.1", perSecond: 200, seconds: 5 });
    let [sent, refused, wrong] = [0, 0, 0];
    const sender = async () => {
      for (let i = sent++; i < REPORTS; i = sent++) {
        const status = await put(POISON[i % POISON.length] ?? "");
        if (status >= 400 && status < 500) refused++;
        if (i % 500 === 0 && (await loadRatio()) !== 0.6) wrong++;
      }
    };
    const startMs = performance.now();
    await Promise.all(Array.from({ length: 32 }, sender));
    const seconds = (performance.now() - startMs) / 1000;
    const { full, sent: queries } = await asked;
    return {
      held: good === 204 && refused === REPORTS && wrong === 0 && full === queries,
      figure: `${refused} of ${REPORTS} refused in ${seconds.toFixed(1)} s, ${wrong} times another load than reported; DNS ${full} of ${queries}`,
    };
  });
}

/** @param {string} folder @returns {Promise<import("./fault.ts").Outcome>} */
async function manyClients(folder) {
  const more = { dns: { rateLimit: { responsesPerSecond: 1_000_000 } } };
  const { child, ports } = await startEdgeward(folder, { hostnames: EXISTING_NAMES, more });
  const load = await startLoad();
  try {
    const order = { port: ports.dns, pid: child.pid, mix: /** @type {const} */ ("mixture"), seconds: 10 };
    const first = await load.run(order);
    await pause(1000);
    const before = residentMiB(child.pid);
    const second = await load.run(order);
    await pause(1000);
    const grown = residentMiB(child.pid) - before;
    const answers = first.answers + second.answers;
    return {
      held: grown < STEADY_MIB && second.wrong === 0,
      figure: `${answers.toLocaleString("en")} answers, ${first.wrong + second.wrong} wrong; ${before.toFixed(0)} MiB after the first half, ${grown.toFixed(1)} more after the second`,
    };
  } finally {
    await load.stop();
    await child.stop();
  }
}
