// How long after an edge's death the last answer still names it, for each type of probe: the real process,
// asked through its HTTP door every 20 ms, with an edge of each type that dies and a spare one that does not.
// Usage: npm run build && node bench/probes.mjs [ROUNDS]
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, createServer as createHttpServer, request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const ROUNDS = Number(process.argv[2] ?? 10);
const INTERVAL_MS = 2000;
const TIMEOUT_MS = 1000;
const FALL = 2;
const ASK_EVERY_MS = 20;
const TARGET_DURATION_S = 2;
const NETWORK = `127.${50 + (process.pid % 100)}.7`;
const HOST = `${NETWORK}.1`;
const SPARE = `${NETWORK}.200`;

/** How an edge can die: its process ends (ports closed), its host falls silent, or its stream alone stops. */
const DEATHS = ["closed", "silent"];

const TYPES = {
  tcp: { probe: (port) => ({ type: "tcp", port }), serve: tcpEdge(() => {}), deaths: ["closed"] },
  http: { probe: (port) => ({ type: "http", path: "/health", port }), serve: tcpEdge(httpBehaviour) },
  rtmp: { probe: (port) => ({ type: "rtmp", port }), serve: tcpEdge(rtmpBehaviour) },
  websocket: { probe: (port) => ({ type: "websocket", port }), serve: tcpEdge(webSocketBehaviour) },
  hls: {
    probe: (port) => ({ type: "hls", path: "/live.m3u8", port }),
    serve: hlsEdge,
    deaths: [...DEATHS, "stream stops"],
  },
  dns: { probe: (port) => ({ type: "dns", name: "edge.example.net", port }), serve: dnsEdge },
};

const cases = Object.entries(TYPES).flatMap(([type, { probe, serve, deaths = DEATHS }]) =>
  deaths.map((death) => ({ name: `${type}, ${death}`, type, death, probe, serve, delaysMs: [] })),
);

const folder = await mkdtemp(join(tmpdir(), "edgeward-bench-"));
const httpPort = await freePort();
const opsPort = await freePort();
for (const [i, each] of cases.entries()) {
  each.id = `e${i}`;
  each.hostname = `e${i}.example.net`;
  each.edge = await each.serve(`${NETWORK}.${10 + i}`);
}
await writeFile(join(folder, "edgeward.yaml"), JSON.stringify(configuration()));
const agent = new Agent({ keepAlive: true });
const service = spawn(
  process.execPath,
  [resolve(import.meta.dirname, "../dist/main.js"), "serve", "-c", join(folder, "edgeward.yaml")],
  { stdio: "ignore" },
);
try {
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(cases.map((each) => until(each, true)));
    await Promise.all(cases.map(measure));
    for (const { edge } of cases) await edge.revive();
    process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
  }
  report();
} finally {
  service.kill("SIGTERM");
  await once(service, "exit");
  for (const { edge } of cases) await edge.stop();
  agent.destroy();
  await rm(folder, { recursive: true });
}

/** Kills the edge at a random point of its interval, and times the last answer that names it. */
async function measure(each) {
  await sleep(Math.random() * INTERVAL_MS);
  await each.edge.die(each.death);
  const diedMs = performance.now();
  each.delaysMs.push((await until(each, false)) - diedMs);
}

/** Asks until the answers name the edge, or no longer do; the time of the last one before that. */
async function until({ hostname, id }, isNamed) {
  const startedMs = performance.now();
  let lastMs = startedMs;
  for (;;) {
    if (performance.now() - startedMs > 60_000) throw new Error(`${id} did not change within a minute`);
    const askedMs = performance.now();
    if (((await firstEdge(hostname)) === id) === isNamed) return lastMs;
    lastMs = askedMs;
    await sleep(ASK_EVERY_MS);
  }
}

async function firstEdge(hostname) {
  const headers = { host: hostname, accept: "application/json" };
  try {
    const asking = request({ host: HOST, port: httpPort, path: "/", headers, agent });
    asking.end();
    const [reply] = await once(asking, "response");
    let text = "";
    for await (const chunk of reply) text += chunk;
    return JSON.parse(text).edges?.[0]?.id;
  } catch {
    return undefined;
  }
}

function report() {
  const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
  console.log(`interval ${INTERVAL_MS} ms, timeout ${TIMEOUT_MS} ms, fall ${FALL}; ${ROUNDS} deaths each`);
  console.log("| probe | death | median | longest |\n|---|---|---|---|");
  for (const { type, death, delaysMs } of cases) {
    const sorted = delaysMs.toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)];
    console.log(`| ${type} | ${death} | ${seconds(median)} | ${seconds(sorted.at(-1))} |`);
  }
}

function configuration() {
  const timing = { interval: `${INTERVAL_MS}ms`, timeout: `${TIMEOUT_MS}ms`, rise: 1, fall: FALL };
  const location = { latitude: 52, longitude: 5 };
  const spare = { location, addresses: [SPARE], url: `http://${SPARE}`, probe: { type: "none" } };
  const edges = cases.map(({ id, edge: { address, port }, probe }) => [
    id,
    {
      location,
      addresses: [address],
      url: `http://${address}:${port}`,
      probe: { ...probe(port), ...timing },
    },
  ]);
  const services = cases.map(({ id, hostname }) => [
    id,
    { hostnames: [hostname], rank: "failover", edges: { ids: [id, "spare"] } },
  ]);
  return {
    listen: { http: [`${HOST}:${httpPort}`], ops: `127.0.0.1:${opsPort}` },
    stateFile: join(folder, "state.json"),
    zones: { "example.net": { nameservers: ["ns.example.org"], contact: "hostmaster@example.net" } },
    edges: { ...Object.fromEntries(edges), spare },
    services: Object.fromEntries(services),
  };
}

/** An edge of a type: it can die and come back. A silent one takes connections and says nothing. */
function tcpEdge(behave) {
  return (address) => serverEdge(address, (isSilent) => createServer((socket) => behave(socket, isSilent)));
}

async function serverEdge(address, create) {
  let silent = false;
  let server;
  let port = 0;
  const sockets = new Set();
  const listen = async () => {
    server = create(() => silent);
    server.on("connection", (socket) => {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    });
    server.listen(port, address);
    await once(server, "listening");
    ({ port } = server.address());
  };
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((done) => server.close(done));
  };
  await listen();
  return {
    address,
    port,
    die: async (death) => (death === "closed" ? close() : void (silent = true)),
    async revive() {
      silent = false;
      if (!server.listening) await listen();
    },
    stop: close,
  };
}

function httpBehaviour(socket, isSilent) {
  socket.once("data", () => {
    if (!isSilent()) socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
}

function rtmpBehaviour(socket, isSilent) {
  let octets = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    const had = octets.length;
    octets = Buffer.concat([octets, chunk]);
    if (isSilent() || had >= 1537 || octets.length < 1537) return;
    const c1 = octets.subarray(1, 1537);
    socket.write(Buffer.concat([Buffer.of(3), c1, c1]));
  });
}

function webSocketBehaviour(socket, isSilent) {
  socket.once("data", (head) => {
    if (isSilent()) return;
    const key = /^sec-websocket-key: (.*)\r$/im.exec(head.toString())?.[1];
    const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
    socket.write(`${[...lines, `Sec-WebSocket-Accept: ${accept}`].join("\r\n")}\r\n\r\n`);
    socket.on("data", () => socket.end());
  });
}

/** A live playlist that gets a segment in each target duration. */
async function hlsEdge(address) {
  let stoppedAt;
  const sequence = () => Math.floor((stoppedAt ?? performance.now()) / (TARGET_DURATION_S * 1000));
  const edge = await serverEdge(address, (isSilent) =>
    createHttpServer((asked, reply) => {
      if (isSilent()) return;
      reply.setHeader("connection", "close");
      const head = `#EXTM3U\n#EXT-X-TARGETDURATION:${TARGET_DURATION_S}\n#EXT-X-MEDIA-SEQUENCE:${sequence()}\n`;
      reply.end(asked.url === "/live.m3u8" ? `${head}#EXTINF:2,\nnewest.ts\n` : "x");
    }),
  );
  return {
    ...edge,
    die: async (death) => (death === "stream stops" ? void (stoppedAt = performance.now()) : edge.die(death)),
    async revive() {
      stoppedAt = undefined;
      await edge.revive();
    },
  };
}

async function dnsEdge(address) {
  let silent = false;
  let socket;
  let port = 0;
  const listen = async () => {
    socket = createSocket("udp4");
    socket.on("message", (query, peer) => {
      if (silent) return;
      // The question, and one A record that points to its name.
      const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 20, 0, 4, 192, 0, 2, 1]);
      const reply = Buffer.concat([query, record]);
      reply[2] |= 0x84;
      reply.writeUInt16BE(1, 6);
      socket.send(reply, peer.port, peer.address);
    });
    socket.bind(port, address);
    await once(socket, "listening");
    ({ port } = socket.address());
  };
  const close = async () => {
    socket?.close();
    socket = undefined;
  };
  await listen();
  return {
    address,
    port,
    die: async (death) => (death === "closed" ? close() : void (silent = true)),
    async revive() {
      silent = false;
      if (socket === undefined) await listen();
    },
    stop: close,
  };
}

async function freePort() {
  const server = createServer().listen(0, HOST);
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
