/**
 * A service as its users run it, on real sockets, and ways to talk to it.
 *
 * Every test file takes a network of loopback addresses of its own, so that files run side by side.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Agent, request } from "undici";
import { afterAll, beforeAll, expect } from "vitest";
import { standIn } from "../stand-in.ts";
import { createDnsClient, type DnsClient } from "./dns-client.ts";
import { takeFolder } from "./network.ts";
import { type Child, edgeward, type Run, spawnEdgeward } from "./program.ts";
import { type Config, LIVE, textOf } from "./reference.ts";
import { sleep, waitFor } from "./wait.ts";

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
/** For hooks and tests that start the program: longer than that may take, so that what it did not do is told. */
export const PATIENCE_MS = START_MS + 60_000;
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
 * The service of all tests of a file, or of a `describe`: started before the first of them and stopped after the
 * last. What it needs until then is to be ended in an `afterAll` above.
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
  return standIn(() => service);
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
