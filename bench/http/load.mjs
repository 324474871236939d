import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import autocannon from "autocannon";
import { cpuSeconds, isInstalled, LOAD_CORE, pinned } from "../lib/process.mjs";
import { STEERING, targetOf, viewers } from "./answers.mjs";
import { CAN_PACE, connectTls } from "./h2load.mjs";

/** How connections are used, and what is asked for. */
export const KINDS = /** @type {const} */ ([
  "keep-alive",
  "one connection per request",
  "one TLS connection per request",
  "steering manifests, keep-alive",
]);
export const TLS_KIND = KINDS[2];
export const STEERING_KIND = KINDS[3];
/** @typedef {typeof KINDS[number]} Kind */

/**
 * @typedef {object} Order
 * @property {Kind} kind
 * @property {number} port
 * @property {number} httpsPort
 * @property {number} pid of the server, whose CPU time is read
 * @property {string} hostname
 * @property {number} seconds
 * @property {string} folder for what the generator needs
 */

/**
 * @typedef {object} Yield
 * @property {number} requests answered
 * @property {number} failed errors of sockets and answers that are not as they should be
 * @property {number} serverCpuSeconds
 * @property {number} perSecond
 * @property {number} p99Ms
 */

const CONNECTIONS = 64;

export const GENERATOR = isInstalled("wrk") ? "wrk" : "autocannon";
/** autocannon cannot close a connection after each request. */
export const POSSIBLE_KINDS = KINDS.filter((kind) =>
  kind === TLS_KIND ? CAN_PACE : GENERATOR === "wrk" || kind === "keep-alive",
);
/** autocannon prepares every request for every connection. */
const AUTOCANNON_VIEWERS = 500;

/** @param {Order} order @returns {Promise<Yield>} */
export async function run(order) {
  const before = cpuSeconds(order.pid);
  const result = await generate(order);
  if (result.requests === 0) throw new Error(`no answer of ${order.kind} on port ${order.port}`);
  return { ...result, serverCpuSeconds: cpuSeconds(order.pid) - before };
}

/** wrk takes sessions up again, which is not what is asked of TLS. @param {Order} order */
function generate(order) {
  const { kind, httpsPort, hostname, folder, seconds } = order;
  if (kind === TLS_KIND) return connectTls({ port: httpsPort, hostname, folder, seconds });
  return GENERATOR === "wrk" ? runWrk(order) : runKeptAlive(order);
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
  const targets = viewers().map((address, n) => {
    const target = kind === STEERING_KIND ? STEERING : targetOf(n);
    return `{ "${address}", "${target}" }`;
  });
  const close = kind === "one connection per request" ? 'headers["Connection"] = "close"' : "";
  return `
local viewers = { ${targets.join(",")} }
local prepared, at = {}, 0
init = function()
  for i, viewer in ipairs(viewers) do
    local headers = { Host = "${hostname}", ["X-Forwarded-For"] = viewer[1] }
    ${close}
    prepared[i] = wrk.format("GET", viewer[2], headers)
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
      .map((address, n) => ({
        path: targetOf(n),
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
