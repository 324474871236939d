import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import autocannon from "autocannon";
import { cpuSeconds, isInstalled, LOAD_CORE, pinned } from "../lib/process.mjs";
import { SITES } from "../lib/sites.mjs";
import { STEERING, targetOf, viewers } from "./answers.mjs";

/** How connections are used, and what is asked for. */
export const KINDS = /** @type {const} */ ([
  "keep-alive",
  "one connection per request",
  "one TLS connection per request",
  "steering manifests, keep-alive",
]);
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
const TLS_CONNECTIONS = 16;

export const GENERATOR = isInstalled("wrk") ? "wrk" : "autocannon";
/** autocannon cannot close a connection after each request. */
export const POSSIBLE_KINDS = KINDS.filter(
  (kind) => GENERATOR === "wrk" || kind === "keep-alive" || kind === "one TLS connection per request",
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

/** @param {Order} order */
function generate(order) {
  if (order.kind === "one TLS connection per request") return runTls(order);
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
    const target = kind === "steering manifests, keep-alive" ? STEERING : targetOf(n);
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

/** wrk takes up sessions again, which is not what is asked here. @param {Order} order @returns {Promise<Omit<Yield, "serverCpuSeconds">>} */
async function runTls({ httpsPort, hostname, seconds }) {
  const generator = join(dirname(fileURLToPath(import.meta.url)), "tls-generator.mjs");
  const [program, ...args] = pinned(LOAD_CORE, [
    process.execPath,
    generator,
    ...[httpsPort, hostname, seconds, TLS_CONNECTIONS].map(String),
  ]);
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const exit = once(child, "exit");
  child.stdin.end(JSON.stringify(tlsRequests(hostname)));
  const said = await text(child.stdout);
  const [code] = await exit;
  if (code !== 0) throw new Error(`the generator of TLS connections has ended with ${code}`);
  const { requests, failed, resumed, other, perSecond, p99Ms } = JSON.parse(said);
  if (resumed + other > 0) throw new Error(`${resumed} sessions taken up, ${other} not of TLS 1.3`);
  return { requests, failed, perSecond, p99Ms };
}

/** With what an answer must have in it: any of some. @param {string} hostname */
function tlsRequests(hostname) {
  return viewers().map((viewer, n) => {
    const target = targetOf(n);
    const fields = [`Host: ${hostname}`, `X-Forwarded-For: ${viewer}`, "Connection: close"];
    return {
      request: [`GET ${target} HTTP/1.1`, ...fields, "", ""].join("\r\n"),
      answers: SITES.map(({ url }) => `\r\nLocation: ${url}${target}\r\n`),
    };
  });
}
