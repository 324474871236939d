import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openCertificates } from "../../src/http/certificates.ts";
import { certificateFolder } from "./certificate-files.ts";
import { openDoor } from "./fixture.ts";

const silent = { info: () => {}, warn: () => {}, error: () => {} };
const folder = certificateFolder();
let certificates: ReturnType<typeof openCertificates>;

beforeAll(() => {
  certificates = openCertificates([folder.make("live", "live.example.net")], silent, Date.now);
});
afterAll(() => folder.remove());

const CLIENTS = 40;

/** Every other one speaks HTTP/2. Tells how many were redirected, by protocol. */
const CLIENTS_CODE = `
const { workerData: { port, clients, connected }, parentPort } = require("node:worker_threads");
const { connect: connectHttp2 } = require("node:http2");
const { connect } = require("node:net");
const tls = require("node:tls");
const opened = Array.from({ length: clients }, () => connect(port, "127.0.0.1"));
const encrypted = (socket, protocol) =>
  tls.connect({ socket, rejectUnauthorized: false, ALPNProtocols: [protocol] });
const overHttp1 = (socket) => new Promise((resolve) => {
  let text = "";
  const over = encrypted(socket, "http/1.1");
  over.on("error", () => resolve("failed")).on("data", (more) => (text += more));
  over.on("close", () => resolve(text.startsWith("HTTP/1.1 302 ") ? "http/1.1" : "failed"));
  over.write("GET /a HTTP/1.1\\r\\nHost: live.example.net\\r\\n\\r\\n");
});
const overHttp2 = (socket) => new Promise((resolve) => {
  const session = connectHttp2("https://live.example.net", { createConnection: () => encrypted(socket, "h2") });
  session.on("error", () => resolve("failed"));
  const stream = session.request({ ":path": "/a" });
  stream.on("error", () => resolve("failed")).resume();
  stream.on("response", (headers) => resolve(headers[":status"] === 302 ? "h2" : "failed"));
  stream.on("close", () => { session.close(); resolve("failed"); });
});
Promise.all(opened.map((socket, i) => new Promise((resolve) => {
  socket.on("error", () => resolve("failed"));
  socket.on("connect", () => {
    Atomics.add(connected, 0, 1);
    Atomics.notify(connected, 0);
    (i % 2 === 0 ? overHttp1 : overHttp2)(socket).then(resolve);
  });
}))).then((outcomes) => {
  const count = (wanted) => outcomes.filter((outcome) => outcome === wanted).length;
  parentPort.postMessage({ http1: count("http/1.1"), http2: count("h2") });
});
`;

it("all who wait to be accepted are served at a stop", async () => {
  const endpoints = [{ host: "127.0.0.1", port: 0 }];
  const { door } = await openDoor({ https: { endpoints, certificates }, limits: { stopGraceMs: 60_000 } });
  const connected = new Int32Array(new SharedArrayBuffer(4));
  const workerData = { port: door.httpsEndpoints[0]?.port, clients: CLIENTS, connected };
  const worker = new Worker(CLIENTS_CODE, { eval: true, workerData });
  // Nobody is accepted while this thread stands still.
  for (let count = 0; count < CLIENTS; count = Atomics.load(connected, 0))
    expect(Atomics.wait(connected, 0, count, 60_000)).not.toBe("timed-out");
  const [[outcome]] = await Promise.all([once(worker, "message"), door.stop()]);
  expect(outcome).toEqual({ http1: CLIENTS / 2, http2: CLIENTS / 2 });
  await worker.terminate();
});
