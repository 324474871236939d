import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { CliActions } from "../../src/cli/actions.ts";
import { runCli } from "../../src/cli/program.ts";
import type { EdgeView, ExplainView } from "../../src/model/views.ts";

/** 2030-01-01T12:00:00Z */
export const NOW_MS = Date.UTC(2030, 0, 1, 12);

export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

export interface FakeOps {
  readonly url: string;
  readonly asked: Asked[];
  stop(): Promise<void>;
}

/** By method and path without query. */
export type Script = Readonly<Record<string, readonly [status: number, body: unknown, headers?: object]>>;

/**
 * An operators' door on a real socket that answers by a script, and remembers what it was asked; ends with the test.
 */
export async function startFakeOps(script: Script): Promise<FakeOps> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const { method = "", url: target = "", headers } = request;
      const { authorization } = headers;
      asked.push({ method, target, authorization, body: text === "" ? undefined : JSON.parse(text) });
      const [status, body, more = {}] = script[`${method} ${target.replace(/\?.*/, "")}`] ?? NOTHING_HERE;
      response.writeHead(status, { "content-type": "application/json", ...more });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onTestFinished(stop);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, stop };
}

export function problem(status: number, code: string, title: string, rest: object = {}): [number, object] {
  return [status, { type: `urn:edgeward:problem:${code}`, title, status, ...rest }];
}

const NOTHING_HERE = problem(404, "not-found", "There is nothing here");

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Surroundings {
  readonly actions?: Partial<CliActions>;
  readonly colour?: boolean;
  readonly token?: string;
  readonly nowMs?: () => number;
  /** What the configuration names as the operators' door. */
  readonly server?: string;
}

/** Runs one command line as the shell would split it. */
export async function edgeward(
  args: readonly string[],
  { actions = {}, colour = false, token, nowMs = () => NOW_MS, server }: Surroundings = {},
): Promise<Ran> {
  let out = "";
  let err = "";
  const code = await runCli(args, actionsOf(actions, server), {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    colour,
    ...(token === undefined ? {} : { token }),
    nowMs,
  });
  return { code, out, err };
}

function actionsOf(some: Partial<CliActions>, server: string | undefined): CliActions {
  const unused = (): never => {
    throw new Error("this command needs no such action");
  };
  return {
    version: "1.2.3",
    defaultConfigFile: "config/edgeward.yaml",
    serve: unused,
    check: unused,
    geo: unused,
    load: unused,
    probe: unused,
    steer: unused,
    agent: unused,
    importFormats: ["flashphoner", "csv"],
    import: unused,
    schema: unused,
    defaultServer: () => Promise.resolve({ kind: "done", value: server }),
    ...some,
  };
}

/** The cells of the line that begins with the word; columns are two spaces apart or more. */
export function rowOf(text: string, word: string): string[] {
  const line = text.split("\n").find((candidate) => candidate.trimStart().startsWith(word));
  return line === undefined ? [] : line.trim().split(/ {2,}/);
}

export const AMS1: EdgeView = {
  id: "ams1",
  index: 0,
  tags: ["live", "europe"],
  location: { latitude: 52.3676, longitude: 4.9041 },
  addresses: ["192.0.2.11", "2001:db8::11"],
  url: "http://ams1.example.net",
  capacity: { viewers: 700, bandwidth: 1_000_000_000 },
  weight: 1,
  priceKm: 312.4,
  health: [
    { family: 4, health: "up", sinceMs: NOW_MS - 3 * 3_600_000 },
    { family: 6, health: "down", reason: "connection-refused", sinceMs: NOW_MS - 12_000 },
  ],
  state: "active",
  stateOrigin: { kind: "file" },
  load: { viewers: 512, bandwidth: 428_000_000, cpu: 0.734 },
  loadRatio: 0.7314,
  reportAgeMs: 4200,
};

export const SIN1: EdgeView = {
  id: "sin1",
  index: 1,
  tags: [],
  location: { latitude: 1.3521, longitude: 103.8198 },
  addresses: ["192.0.2.12"],
  capacity: {},
  weight: 2,
  priceKm: 0,
  health: [{ family: 4, health: "unknown", sinceMs: NOW_MS }],
  state: "drain",
  stateOrigin: { kind: "operator", by: "alice", reason: "disk swap", atMs: NOW_MS - 5 * 60_000 },
  load: {},
};

export const EXPLAINED: ExplainView = {
  service: "live",
  viewer: {
    address: "203.0.113.7",
    prefix: "203.0.113.7/32",
    layer: "city",
    city: "London",
    country: "GB",
    continent: "EU",
    latitude: 51.51,
    longitude: -0.13,
    asn: 64500,
  },
  edges: [
    {
      id: "ams1",
      url: "http://ams1.example.net",
      distanceKm: 357.6,
      priceKm: 312.4,
      load: 0.7314,
      up: { 4: true, 6: false },
    },
    { id: "sin1", distanceKm: 10_841.2, priceKm: 0, load: null, up: { 4: true, 6: true } },
  ],
  rejected: [{ id: "nyc1", reason: "drain", distanceKm: 5570.9 }],
  outcome: { kind: "edges" },
  ttlSeconds: 20,
  scopePrefix: "203.0.113.0/24",
};
