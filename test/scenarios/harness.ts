/**
 * Runs the program as its users do, `node dist/main.js`, on real sockets.
 *
 * Every test file takes a network of loopback addresses of its own, so that files run side by side.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, request } from "undici";
import { afterAll, beforeAll, expect } from "vitest";
import { parse, stringify } from "yaml";
import { createDnsClient, type DnsClient } from "./dns-client.ts";

export { sleep };

export const ROOT = resolve(import.meta.dirname, "../..");
const PROGRAM = join(ROOT, "dist/main.js");

/** A configuration as it is written, with whatever keys a test needs. */
// oxlint-disable-next-line typescript/no-explicit-any -- it is written, not read, and wrong ones are wanted too
export type Config = Record<string, any>;

/** Viewers, and the edge of the reference configuration that is nearest to each. */
export const LONDON = "81.2.69.142";
export const TOKYO = "133.11.0.1";
export const CALIFORNIA = "8.8.8.8";

export const LIVE = "live.cdn.example.net";

// --- Places -----------------------------------------------------------------------------------------

/** Loopback addresses that no other test file uses. */
export interface Network {
  /** Where the service listens. */
  readonly host: string;
  /** The n-th edge's address, from 1. */
  edge(n: number): string;
}

export function takeNetwork(): Network {
  const [a, b] = [30 + Math.floor(Math.random() * 200), Math.floor(Math.random() * 250)];
  return { host: `127.${a}.${b}.1`, edge: (n) => `127.${a}.${b}.${10 + n}` };
}

const handedOut = new Set<string>();

/** A port that is free for UDP and TCP, and was not handed out before. */
export async function freePort(host: string): Promise<number> {
  for (;;) {
    const server = createTcpServer();
    const port = await new Promise<number>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, host, () => resolve((server.address() as { port: number }).port));
    });
    const socket = createSocket("udp4");
    const isFree = await new Promise<boolean>((resolve) => {
      socket.once("error", () => resolve(false));
      socket.bind(port, host, () => resolve(true));
    });
    socket.close();
    await new Promise((resolve) => server.close(resolve));
    const endpoint = `${host}:${port}`;
    if (!isFree || handedOut.has(endpoint)) continue;
    handedOut.add(endpoint);
    return port;
  }
}

/** A folder for configuration and state, removed by the returned function. */
export function takeFolder(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "edgeward-scenario-"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

// --- Edges ------------------------------------------------------------------------------------------

/** An edge server in this process, that can be killed and brought back. */
export interface FakeEdge {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  start(): Promise<void>;
  /** Closes the listener and every connection. */
  kill(): Promise<void>;
}

const healthy: RequestListener = (_request, response) => void response.end("ok\n");

export async function startEdge(
  host: string,
  answer: RequestListener = healthy,
  atPort?: number,
): Promise<FakeEdge> {
  const port = atPort ?? (await freePort(host));
  let server: Server | undefined;
  const start = (): Promise<void> =>
    new Promise((resolve, reject) => {
      server = createServer(answer);
      server.once("error", reject);
      server.listen(port, host, resolve);
    });
  const kill = (): Promise<void> =>
    new Promise((resolve) => {
      if (server === undefined) return resolve();
      server.close(() => resolve());
      server.closeAllConnections();
      server = undefined;
    });
  await start();
  return { host, port, url: `http://${host}:${port}`, start, kill };
}

// --- Configurations ---------------------------------------------------------------------------------

/** The reference configuration with doors on free ports of the network, probes every 250 ms. */
export async function referenceConfig(network: Network, edges: readonly FakeEdge[] = []): Promise<Config> {
  const config = parse(readFileSync(join(ROOT, "config/edgeward.yaml"), "utf8")) as Config;
  const { host } = network;
  config["listen"] = {
    dns: [`${host}:${await freePort(host)}`],
    http: [`${host}:${await freePort(host)}`],
    ops: `${host}:${await freePort(host)}`,
  };
  config["defaults"].probe = {
    type: "http",
    path: "/health",
    interval: "250ms",
    timeout: "200ms",
    rise: 2,
    fall: 2,
  };
  for (const [i, edge] of Object.values<Config>(config["edges"]).entries()) {
    const fake = edges[i];
    if (fake === undefined) edge["probe"] = { type: "none" };
    else Object.assign(edge, { addresses: [fake.host], url: fake.url });
  }
  return config;
}

export function textOf(config: Config): string {
  return stringify(config, { aliasDuplicateObjects: false });
}

/** Writes beside and renames, as a careful program does. */
export function replaceFile(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

// --- The program ------------------------------------------------------------------------------------

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Child {
  readonly process: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly exited: Promise<Run>;
}

/** Those of a test that failed or timed out before it stopped them end with its file. */
const running = new Set<ChildProcess>();
const endAll = (): void => {
  for (const child of running) child.kill("SIGKILL");
};
process.once("exit", endAll);
afterAll(endAll);

/** Runs a command that goes on until it is told to stop. */
export function spawnEdgeward(args: readonly string[], environment: Record<string, string> = {}): Child {
  if (!existsSync(PROGRAM)) throw new Error("dist/main.js is missing: run npm run build first");
  // By its temporary folder it is found at the end of the run, should this process be killed.
  const { PATH = "", TMPDIR = tmpdir() } = process.env;
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: ROOT,
    env: { PATH, TMPDIR, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  child.once("close", () => running.delete(child));
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  const stdout = (): string => Buffer.concat(out).toString();
  const stderr = (): string => Buffer.concat(err).toString();
  const exited = new Promise<Run>((resolve) => {
    child.once("close", (code) => resolve({ code, stdout: stdout(), stderr: stderr() }));
  });
  return { process: child, stdout, stderr, exited };
}

/** Runs one command to its end. */
export function edgeward(...args: string[]): Promise<Run> {
  return spawnEdgeward(args).exited;
}

export interface Door {
  readonly host: string;
  readonly port: number;
}

/** A running service, and ways to talk to it. */
export interface Service {
  readonly pid: number;
  readonly configFile: string;
  readonly doors: { readonly dns: Door; readonly http: Door; readonly ops: Door };
  readonly dns: DnsClient;
  /** At the viewers' door, for `live` unless `host` says otherwise. */
  get(path: string, options?: GetOptions): Promise<Response>;
  /** At the operators' door. A body that is not a string is sent as JSON. */
  ops(method: "GET" | "PUT" | "POST", path: string, body?: unknown): Promise<Response>;
  /** Samples by their whole text, as `edgeward_edge_up{edge="ams1",family="ipv4"}`. */
  metrics(): Promise<ReadonlyMap<string, number>>;
  /** A command with this service's configuration. */
  cli(...args: string[]): Promise<Run>;
  stdout(): string;
  stderr(): string;
  /** Lines of the log; those that are not JSON fail the test. */
  log(): LogLine[];
  signal(name: NodeJS.Signals): void;
  readonly exited: Promise<Run>;
  /** By SIGTERM; fails unless it ends with 0 within 5 s and met no fault. */
  stop(): Promise<void>;
}

export interface GetOptions {
  readonly host?: string;
  /** X-Forwarded-For */
  readonly from?: string;
  readonly json?: boolean;
}

export interface Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body, where it is JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests say what they expect in it
  readonly json: any;
}

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface StartOptions {
  readonly config: Config;
  readonly folder: string;
  /** Default: the configuration written to `edgeward.yaml` in the folder. */
  readonly configFile?: string;
  readonly args?: readonly string[];
  readonly environment?: Record<string, string>;
  /** alive: the operators' door answers; ready (default): the viewers' doors too. */
  readonly until?: "alive" | "ready";
}

const START_MS = 120_000;
const STOP_MS = 5000;

export async function startService(options: StartOptions): Promise<Service> {
  const { config, folder, until = "ready" } = options;
  const configFile = options.configFile ?? join(folder, "edgeward.yaml");
  if (options.configFile === undefined) writeFileSync(configFile, textOf(config));
  const args = options.args ?? ["serve", "-c", configFile];
  const child = spawnEdgeward(args, { STATE_DIRECTORY: folder, ...options.environment });
  const doors = doorsOf(config);
  const service = await talkTo(child, doors, configFile);
  await waitFor(
    async () => {
      const { status } = await service.ops("GET", until === "alive" ? "/healthz" : "/readyz");
      return status === 200;
    },
    START_MS,
    () => `edgeward to be ${until}: ${child.stderr()}`,
    child,
  );
  return service;
}

/**
 * The service of all tests of a file, or of a `describe`: started before the first of them and stopped after the last. What
 * it needs until then is to be ended in an `afterAll` above.
 * @param configured given the folder that it runs in
 */
export function serviceForAll(configured: (folder: string) => Promise<Config>): Service {
  const { folder, remove } = takeFolder();
  let service: Service | undefined;
  beforeAll(async () => {
    service = await startService({ config: await configured(folder), folder });
  }, START_MS + 60_000);
  afterAll(async () => {
    await service?.stop();
    remove();
  });
  return new Proxy({} as Service, { get: (_, name) => service?.[name as keyof Service] });
}

function doorsOf(config: Config): Service["doors"] {
  const { dns, http, ops } = config["listen"];
  return { dns: doorOf(dns[0]), http: doorOf(http[0]), ops: doorOf(ops) };
}

function doorOf(endpoint: string): Door {
  const [host = "", port] = endpoint.split(":");
  return { host, port: Number(port) };
}

async function talkTo(child: Child, doors: Service["doors"], configFile: string): Promise<Service> {
  const dns = await createDnsClient(doors.dns);
  const agent = new Agent({ connections: 48, keepAliveTimeout: 20_000 });
  const origin = ({ host, port }: Door): string => `http://${host}:${port}`;

  const ask = async (url: string, method: string, headers: Record<string, string>, body?: string) => {
    const answer = await request(url, {
      dispatcher: agent,
      method: method as "GET",
      headers,
      body: body ?? null,
    });
    const text = await answer.body.text();
    const type = String(answer.headers["content-type"] ?? "");
    const json: unknown = type.includes("json") ? JSON.parse(text) : undefined;
    return { status: answer.statusCode, headers: answer.headers, text, json };
  };

  const service: Service = {
    pid: child.process.pid as number,
    configFile,
    doors,
    dns,
    get: (path, { host = LIVE, from, json = false } = {}) =>
      ask(`${origin(doors.http)}${path}`, "GET", {
        host,
        ...(from === undefined ? {} : { "x-forwarded-for": from }),
        ...(json ? { accept: "application/json" } : {}),
      }),
    ops: (method, path, body) =>
      ask(
        `${origin(doors.ops)}${path}`,
        method,
        body === undefined ? {} : { "content-type": "application/json" },
        body === undefined || typeof body === "string" ? body : JSON.stringify(body),
      ),
    metrics: async () => samplesIn((await service.ops("GET", "/metrics")).text),
    cli: (...args) => edgeward(...args, "-c", configFile),
    stdout: child.stdout,
    stderr: child.stderr,
    log: () => linesOf(child.stderr()),
    signal: (name) => void child.process.kill(name),
    exited: child.exited.then(async (run) => {
      dns.close();
      await agent.destroy();
      return run;
    }),
    async stop() {
      const startMs = performance.now();
      child.process.kill("SIGTERM");
      const run = await Promise.race([service.exited, sleep(STOP_MS + 1000)]);
      if (run === undefined) child.process.kill("SIGKILL");
      expect(run, "edgeward did not end").toBeDefined();
      expect(run?.code, run?.stderr).toBe(0);
      expect(performance.now() - startMs).toBeLessThan(STOP_MS);
      expect(faultsIn(run?.stderr ?? "")).toEqual([]);
    },
  };
  return service;
}

/** Messages that tell of a bug, and whatever a runtime writes when it is unhappy. */
const FAULT =
  /that nobody caught|an answer failed|could not be answered|metrics of a room|operators' door|could not be judged/;

function faultsIn(stderr: string): string[] {
  return linesOf(stderr)
    .filter(({ level, msg }) => level === "error" && FAULT.test(msg))
    .map((line) => JSON.stringify(line));
}

function linesOf(stderr: string): LogLine[] {
  return stderr
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      expect(line, "every line of the log is JSON").toMatch(/^\{.*\}$/);
      return JSON.parse(line) as LogLine;
    });
}

function samplesIn(text: string): Map<string, number> {
  const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    samples.map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

// --- Waiting ----------------------------------------------------------------------------------------

/** Asks again and again until it is so; what throws counts as not yet. Returns the milliseconds it took. */
export async function waitFor(
  isSo: () => Promise<boolean> | boolean,
  timeoutMs: number,
  what: string | (() => string) = "it",
  child?: Child,
): Promise<number> {
  const startMs = performance.now();
  for (;;) {
    const now = await Promise.resolve()
      .then(isSo)
      .catch(() => false);
    const tookMs = performance.now() - startMs;
    if (now) return tookMs;
    const gone = child !== undefined && child.process.exitCode !== null;
    if (gone || tookMs > timeoutMs) {
      child?.process.kill("SIGKILL");
      throw new Error(
        `waited ${Math.round(tookMs)} ms in vain for ${typeof what === "string" ? what : what()}`,
      );
    }
    await sleep(15);
  }
}

/** At both doors: the first edge for a viewer, by its url's host. */
export async function firstEdges(service: Service, from: string): Promise<readonly [string, string]> {
  const [dns, http] = await Promise.all([
    service.dns.ask(LIVE, { subnet: `${from}/32` }),
    service.get("/x.m3u8", { from }),
  ]);
  return [dns.addresses[0] ?? "-", new URL(String(http.headers["location"])).hostname];
}

/** All edges that either door names to a viewer. */
export async function edgesNamed(service: Service, from: string): Promise<Set<string>> {
  const [dns, http] = await Promise.all([
    service.dns.ask(LIVE, { subnet: `${from}/32` }),
    service.get("/x.m3u8", { from, json: true }),
  ]);
  const urls = (http.json.edges as { url: string }[]).map(({ url }) => new URL(url).hostname);
  return new Set([...dns.addresses, ...urls]);
}
