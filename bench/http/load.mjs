import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import autocannon from "autocannon";
import { cpuSeconds, isInstalled, LOAD_CORE, pinned } from "../lib/process.mjs";
import { randomFrom, randomSubnet } from "../lib/random.mjs";

/** Whether a connection serves many requests, or one. */
export const KINDS = /** @type {const} */ (["keep-alive", "one connection per request"]);
/** @typedef {typeof KINDS[number]} Kind */

/**
 * @typedef {object} Order
 * @property {Kind} kind
 * @property {number} port
 * @property {number} pid of the server, whose CPU time is read
 * @property {string} hostname
 * @property {number} seconds
 * @property {string} folder for what the generator needs
 */

/**
 * @typedef {object} Yield
 * @property {number} requests answered
 * @property {number} failed errors of sockets and answers that are no redirect
 * @property {number} serverCpuSeconds
 * @property {number} perSecond
 * @property {number} p99Ms
 */

const CONNECTIONS = 64;
const VIEWERS = 10_000;

export const GENERATOR = isInstalled("wrk") ? "wrk" : "autocannon";
/** autocannon cannot close a connection after each request. */
export const POSSIBLE_KINDS = GENERATOR === "wrk" ? KINDS : KINDS.slice(0, 1);
/** autocannon prepares every request for every connection. */
const AUTOCANNON_VIEWERS = 500;

/** Viewers' addresses, one per request in turn, as a trusted proxy tells them. */
export function viewers() {
  const random = randomFrom(3);
  return Array.from({ length: VIEWERS }, () => [...randomSubnet(random), random() & 0xff].join("."));
}

/** @param {Order} order @returns {Promise<Yield>} */
export async function run(order) {
  const before = cpuSeconds(order.pid);
  const result = GENERATOR === "wrk" ? await runWrk(order) : await runKeptAlive(order);
  if (result.requests === 0) throw new Error(`no answer on port ${order.port} to ${GENERATOR}`);
  return { ...result, serverCpuSeconds: cpuSeconds(order.pid) - before };
}

/** @param {Order} order @returns {Promise<Omit<Yield, "serverCpuSeconds">>} */
async function runWrk({ kind, port, hostname, seconds, folder }) {
  const script = join(folder, "requests.lua");
  writeFileSync(script, wrkScript(hostname, kind));
  const options = ["-t1", `-c${CONNECTIONS}`, `-d${seconds}s`, "-s", script];
  const [program, ...args] = pinned(LOAD_CORE, ["wrk", ...options, `http://127.0.0.1:${port}`]);
  const { stdout } = await promisify(execFile)(program, args);
  const figures = /^FIGURES (.*)$/m.exec(stdout)?.[1]?.split(" ").map(Number) ?? [];
  const [requests = 0, microseconds = 1, failed = 0, p99 = Number.NaN] = figures;
  return { requests, failed, perSecond: (requests / microseconds) * 1e6, p99Ms: p99 / 1000 };
}

/** @param {string} hostname @param {Kind} kind */
function wrkScript(hostname, kind) {
  const close = kind === "keep-alive" ? "" : 'headers["Connection"] = "close"';
  return `
local viewers = { ${viewers()
    .map((address) => `"${address}"`)
    .join(",")} }
local prepared, at = {}, 0
init = function()
  for i, address in ipairs(viewers) do
    local headers = { Host = "${hostname}", ["X-Forwarded-For"] = address }
    ${close}
    prepared[i] = wrk.format("GET", "/live/channel" .. (i % 100) .. "/index.m3u8?token=abc" .. i, headers)
  end
end
request = function()
  at = at % #prepared + 1
  return prepared[at]
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format("FIGURES %d %d %d %d\\n", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(99)))
end
`;
}

/** By Node's own generator: not pinned, and slower than a server in C. @param {Order} order */
async function runKeptAlive({ port, hostname, seconds }) {
  const result = await autocannon({
    url: `http://127.0.0.1:${port}`,
    connections: CONNECTIONS,
    duration: seconds,
    requests: viewers()
      .slice(0, AUTOCANNON_VIEWERS)
      .map((address, i) => ({
        path: `/live/channel${i % 100}/index.m3u8?token=abc${i}`,
        headers: { host: hostname, "x-forwarded-for": address },
      })),
  });
  const redirects = result["3xx"];
  return {
    requests: redirects,
    failed: result.errors + result.timeouts + result["2xx"] + result["4xx"] + result["5xx"],
    perSecond: redirects / result.duration,
    p99Ms: result.latency.p99,
  };
}
