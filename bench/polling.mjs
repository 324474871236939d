// What it costs to read the load of 500 edges every 5 s, and whether an edge is ever asked twice at once. The
// servers are fakes in a process of their own; they say what real ones say, with counters that move. One core is
// 100 %. Usage: npm run build && node bench/polling.mjs [--json]

import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { startPullers } from "../dist/load/puller.js";

const EDGES = 500;
const INTERVAL_MS = 5000;
const WARM_UP_MS = 6000;
const MEASURE_MS = 30_000;
/** Shares of one core, in percent. */
const GOAL = 10;

/** How each type is asked, and which pages answer it: by the end of the path. */
const SOURCES = {
  mistserver: { other: { passphrase: "secret" }, pages: { "secret.json": "mist-load-1.json" } },
  nimble: {
    other: { token: "secret" },
    pages: {
      server_status: "nimble-server-status.json",
      live_streams_status: "nimble-live-streams-status.json",
    },
  },
  wowza: { path: "/connectioncounts", pages: { connectioncounts: "wowza-connectioncounts.xml" } },
  flashphoner: { pages: { "": "flashphoner-stat.txt" } },
  "nginx-rtmp": { path: "/stat", pages: { stat: "nginx-rtmp-stat.xml" } },
  "nginx-stub-status": { path: "/stub", pages: { stub: "nginx-stub-status.txt" } },
  "nginx-vts": { path: "/json", pages: { json: "nginx-vts-1.json" } },
  srs: { pages: { summaries: "srs-summaries-1.json", "": "srs-streams.json" } },
  "ant-media": { other: { token: "secret" }, pages: { "system-resources": "ams-system-resources.json" } },
  ovenmediaengine: {
    other: { token: "secret", application: "app" },
    pages: { current: "ome-stats-current-1.json", streams: "ome-streams.json" },
  },
  varnish: { path: "/varnish", pages: { varnish: "varnishstat-1.json" } },
  haproxy: { path: "/stats;csv", pages: { "stats;csv": "haproxy-stats-1.csv" } },
  apache: { path: "/server-status?auto", pages: { "server-status": "apache-status-1.txt" } },
  "node-exporter": { path: "/metrics", pages: { metrics: "node-exporter-1.txt" } },
  astats: { path: "/_astats", other: { interface: "eth0" }, pages: { _astats: "astats-1.json" } },
};

if (process.argv[2] === "servers") serve();
else await measure();

async function measure() {
  const servers = fork(fileURLToPath(import.meta.url), ["servers"]);
  const port = await message(servers);
  let reports = 0;
  const problems = new Map();
  const pullers = startPullers({
    log: { info() {}, warn() {}, error() {} },
    onReport: () => void reports++,
    onFailure: (_, __, problem) => problems.set(problem, (problems.get(problem) ?? 0) + 1),
  });
  pullers.take(inventoryOf(port));
  await pause(WARM_UP_MS);
  reports = 0;
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  await pause(MEASURE_MS);
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - startedMs) / 1000;
  pullers.stop();
  servers.send("figures");
  const { most, requests } = await message(servers);
  servers.kill();
  report({
    edges: EDGES,
    intervalSeconds: INTERVAL_MS / 1000,
    readingsPerSecond: round(reports / seconds),
    requestsInAll: requests,
    cpuPercentOfOneCore: round((user + system) / 1e4 / seconds),
    cpuMillisecondsPerReading: round((user + system) / 1000 / reports),
    mostRequestsInFlightPerEdge: most,
    failures: Object.fromEntries(problems),
  });
}

function report(figures) {
  if (process.argv.includes("--json")) console.log(JSON.stringify(figures));
  else for (const [name, value] of Object.entries(figures)) console.log(`${name}: ${JSON.stringify(value)}`);
  const { cpuPercentOfOneCore, mostRequestsInFlightPerEdge, failures } = figures;
  const isGood =
    cpuPercentOfOneCore < GOAL && mostRequestsInFlightPerEdge === 1 && Object.keys(failures).length === 0;
  if (!isGood) process.exitCode = 1;
}

/** Edges of every type in turn, each with a path of its own at the one fake server. */
function inventoryOf(port) {
  const types = Object.keys(SOURCES);
  const edges = Array.from({ length: EDGES }, (_, index) => {
    const type = types[index % types.length];
    const { path = "", other = {} } = SOURCES[type];
    const url = `http://127.0.0.1:${port}/e${index}/${type}${path}`;
    const timing = { intervalMs: INTERVAL_MS, timeoutMs: 2000, staleAfterMs: 30_000 };
    return { id: `e${index}`, index, load: [{ type, url, ...timing, ...other }] };
  });
  const listen = { dns: [], http: [], ops: { host: "127.0.0.1", port: 1 } };
  return { allowedProbeNetworks: [], listen, edges };
}

function serve() {
  const inFlight = new Map();
  let most = 0;
  let requests = 0;
  const pages = pagesByType();
  const server = createServer((request, reply) => {
    const [, edge, type, ...rest] = new URL(request.url, "http://localhost").pathname.split("/");
    const running = (inFlight.get(edge) ?? 0) + 1;
    inFlight.set(edge, running);
    most = Math.max(most, running);
    requests++;
    reply.on("close", () => inFlight.set(edge, inFlight.get(edge) - 1));
    const page = pages[type][rest.at(-1) ?? ""];
    // As long as a server on another continent takes.
    setTimeout(() => (page === undefined ? reply.writeHead(404).end() : reply.end(page())), 100);
  });
  // As long as nginx waits for the next request.
  server.keepAliveTimeout = 75_000;
  server.listen(0, "127.0.0.1", () => process.send(server.address().port));
  process.on("message", () => process.send({ most, requests }));
}

function pagesByType() {
  const types = Object.entries(SOURCES).map(([type, { pages }]) => {
    const entries = Object.entries(pages).map(([path, file]) => [path, moving(padded(type, textOf(file)))]);
    return [type, Object.fromEntries(entries)];
  });
  return Object.fromEntries(types);
}

function textOf(file) {
  return readFileSync(new URL(`../test/load/samples/${file}`, import.meta.url), "utf8");
}

/** Real machines have a hundred times more to say than the sample. */
function padded(type, text) {
  if (type !== "node-exporter") return text;
  const line = (i) => `node_filler_total{device="sd${i % 26}",number="${i}"} ${i}e+03\n`;
  return Array.from({ length: 2000 }, (_, i) => line(i)).join("") + text;
}

/** Clocks and counters of the sample, moved on by the time since the start. */
function moving(text) {
  const startedMs = Date.now();
  return () => {
    const ms = Date.now() - startedMs;
    return text
      .replace(
        /("nowMsec":|"srs_sample_time":|"now_ms":)(\d+)/g,
        (_, key, value) => key + (Number(value) + ms),
      )
      .replace(/(node_time_seconds) (\S+)/, (_, key, value) => `${key} ${Number(value) + ms / 1000}`);
  };
}

function message(child) {
  return new Promise((resolve) => child.once("message", resolve));
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function round(number) {
  return Math.round(number * 100) / 100;
}
