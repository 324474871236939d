import { createHash } from "node:crypto";
import { type IncomingHttpHeaders, request } from "node:http";
import type { ChallengeView } from "../../src/model/acme.ts";
import type { Endpoint, Token } from "../../src/model/inventory.ts";
import type { Log } from "../../src/model/log.ts";
import type { MetricFamily, MetricSource } from "../../src/model/metrics.ts";
import type { EdgeView, ExplainView, ServiceView } from "../../src/model/views.ts";
import type {
  ExplainQuestion,
  OpsApi,
  OpsEvent,
  ReloadVerdict,
  ReplaceVerdict,
  StateChange,
  StatusView,
} from "../../src/ops/api.ts";
import { type OpsDoor, type OpsDoorOptions, startOpsDoor } from "../../src/ops/door.ts";

const LOOPBACK: Endpoint = { host: "127.0.0.1", port: 0 };

/** An application of two edges that remembers what it was asked. */
export class FakeApi implements OpsApi {
  readonly reports: { edgeId: string; body: unknown }[] = [];
  readonly changes: { edgeId: string; change: StateChange; by: string }[] = [];
  readonly challenges: { value: string; by: string; lastsMs: number }[] = [];
  readonly questions: ExplainQuestion[] = [];
  readonly listeners = new Set<(event: OpsEvent) => void>();
  readonly metrics: MetricSource[] = [];
  verdict: ReloadVerdict = { kind: "taken", changed: ["edges.ams1.capacity"] };
  isReady = true;
  bug: Error | undefined;

  status(): StatusView {
    if (this.bug !== undefined) throw this.bug;
    return {
      version: "1.2.3",
      node: process.version,
      uptimeSeconds: 5,
      ...this.ready(),
      configuration: {
        file: "/etc/edgeward/edgeward.yaml",
        generation: 1,
        lastReload: { successful: true, atMs: 1_700_000_000_000, problems: [] },
      },
      edges: { total: 2, up: 1, active: 1 },
      absentEdges: [
        {
          id: "old1",
          state: "drain",
          stateOrigin: { kind: "operator", by: "ops", reason: "disk", atMs: 1 },
          forgottenAtMs: 2,
        },
      ],
      services: 1,
      geoip: [{ layer: "city", file: "city.mmdb", builtAtMs: 1_700_000_000_000 }],
    };
  }

  edges(): EdgeView[] {
    return EDGES;
  }

  edge(id: string): EdgeView | undefined {
    return EDGES.find((edge) => edge.id === id);
  }

  services(): ServiceView[] {
    return SERVICES;
  }

  explain(question: ExplainQuestion): ReturnType<OpsApi["explain"]> {
    this.questions.push(question);
    if (question.hostname === "shared.cdn.example.net")
      return { kind: "unknown-path", paths: ["/a/*", "/b/*"] };
    return question.hostname === "live.cdn.example.net"
      ? { kind: "explained", view: EXPLANATION }
      : { kind: "unknown-hostname" };
  }

  report(edgeId: string, body: unknown): ReturnType<OpsApi["report"]> {
    if (this.edge(edgeId) === undefined) return { kind: "unknown-edge" };
    if (edgeId === "sin1") return { kind: "refused", detail: "sin1 takes no pushed reports" };
    this.reports.push({ edgeId, body });
    return { kind: "taken" };
  }

  async setState(edgeId: string, change: StateChange, by: string): ReturnType<OpsApi["setState"]> {
    const edge = this.edge(edgeId);
    if (edgeId === "old1") return { kind: "forgotten", persisted: true };
    if (edge === undefined) return { kind: "unknown-edge" };
    this.changes.push({ edgeId, change, by });
    const { health, load } = edge;
    const stateOrigin = { kind: "operator", by, reason: change.reason, atMs: 1 } as const;
    return {
      kind: "set",
      persisted: true,
      condition: { edgeId, health, load, state: change.state, stateOrigin },
    };
  }

  replacement: ReplaceVerdict = { kind: "replaced", pid: 4321 };

  async replace(): Promise<ReplaceVerdict> {
    return this.replacement;
  }

  async reload(): Promise<ReloadVerdict> {
    return this.verdict;
  }

  /** Knows one hostname and one account, `app` with the key `key`. */
  readonly acme: OpsApi["acme"] = {
    challenges: () => CHALLENGES,
    set: (hostname, value, by, lastsMs) => {
      if (hostname !== "live.cdn.example.net") return { kind: "unknown-hostname" };
      this.challenges.push({ value, by, lastsMs });
      return { kind: "done", challenges: CHALLENGES, removed: 0 };
    },
    remove: (hostname, value) =>
      hostname === "live.cdn.example.net"
        ? { kind: "done", challenges: [], removed: value === undefined ? 2 : 1 }
        : { kind: "unknown-hostname" },
    update: ({ username, key }, subdomain, value) => {
      if (username !== "app" || key !== "key" || subdomain !== "sub") return { kind: "unauthorized" };
      return value.length === 43
        ? { kind: "set", hostname: "live.cdn.example.net", by: username }
        : { kind: "refused", detail: "too short" };
    },
  };

  ready(): { ready: boolean; reasons: string[]; alarms: string[] } {
    return {
      ready: this.isReady,
      reasons: this.isReady ? [] : ["first round of probes"],
      alarms: ["an alarm"],
    };
  }

  subscribe(listener: (event: OpsEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  emit(event: OpsEvent): void {
    for (const listener of this.listeners) listener(event);
  }
}

const CHALLENGES: ChallengeView[] = [
  {
    hostname: "live.cdn.example.net",
    name: "_acme-challenge.live.cdn.example.net",
    values: [{ value: "one", by: "ops", untilMs: 1_700_000_000_000 }],
  },
];

export const EDGES: EdgeView[] = [
  {
    id: "ams1",
    index: 0,
    tags: ["live"],
    location: { latitude: 52.37, longitude: 4.9 },
    addresses: ["127.0.0.11", "2001:db8::11"],
    url: "http://127.0.0.11:8081",
    capacity: { viewers: 700, bandwidth: 1e9 },
    weight: 1,
    priceKm: 120.5,
    health: [
      { family: 4, health: "up", sinceMs: 1 },
      { family: 6, health: "down", reason: "timeout", sinceMs: 2 },
    ],
    state: "active",
    stateOrigin: { kind: "file" },
    load: { viewers: 350, bandwidth: 5e8, cpu: 0.5, memory: 0.25, streams: ["one"] },
    loadRatio: 0.5,
    reportAgeMs: 900,
  },
  {
    id: "sin1",
    index: 1,
    tags: [],
    location: { latitude: 1.35, longitude: 103.8 },
    addresses: ["127.0.0.12"],
    capacity: {},
    weight: 0.5,
    priceKm: 0,
    health: [{ family: 4, health: "unknown", sinceMs: 1 }],
    state: "drain",
    stateOrigin: { kind: "operator", by: "ops", reason: "<b>disk</b>", atMs: 1, untilMs: 2 },
    load: {},
  },
];

export const SERVICES: ServiceView[] = [
  {
    id: "live",
    hostnames: ["live.cdn.example.net"],
    edges: ["ams1", "sin1"],
    rank: "nearest",
    affinity: "none",
    dns: { ttlSeconds: 20, ttlInDoubtSeconds: 5, answers: 2 },
    http: { stickinessSeconds: 0, url: "{edge.url}{path}{query}" },
    whenFull: "spill",
    whenDown: "fallback",
    allow: { countries: ["NL"], continents: ["EU"], networks: ["198.51.100.0/24"], asns: [64500] },
    fallback: { url: "https://origin.example.net", addresses: ["127.0.0.20"] },
  },
];

export const EXPLANATION: ExplainView = {
  service: "live",
  rank: "nearest",
  viewer: {
    address: "198.51.100.7",
    prefix: "198.51.100.7/32",
    layer: "places",
    country: "NL",
    continent: "EU",
    latitude: 52.37,
    longitude: 4.9,
    asn: 64500,
  },
  edges: [
    {
      id: "ams1",
      url: "http://127.0.0.11:8081",
      distanceKm: 0.3,
      priceKm: 120.5,
      load: 0.5,
      up: { 4: true, 6: false },
    },
    { id: "nyc1", distanceKm: null, priceKm: 0, load: null, up: { 4: true, 6: false } },
  ],
  rejected: [{ id: "sin1", reason: "drain", distanceKm: 10_500 }],
  outcome: { kind: "edges" },
  ttlSeconds: 20,
  scopePrefix: "198.51.100.0/24",
};

export const SECRETS = {
  operator: "operator-secret-6f1d",
  viewer: "viewer-secret-a2c4",
  reporter: "reporter-secret-93be",
} as const;

export const TOKENS: Token[] = [
  { name: "ops", role: "operator", sha256: sha256(SECRETS.operator) },
  { name: "wall", role: "viewer", sha256: sha256(SECRETS.viewer) },
  { name: "ams1-agent", role: "reporter", edge: "ams1", sha256: sha256(SECRETS.reporter) },
];

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

export interface LoggedLine {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

/** A log that keeps its lines. */
function memoryLog(): Log & { lines: LoggedLine[] } {
  const lines: LoggedLine[] = [];
  const at =
    (level: string) =>
    (fields: object, message: string): void => {
      lines.push({ level, fields, message });
    };
  return { lines, info: at("info"), warn: at("warn"), error: at("error") };
}

export interface FakeDoor extends OpsDoor {
  readonly api: FakeApi;
  readonly log: ReturnType<typeof memoryLog>;
}

export async function openDoor(options: Partial<OpsDoorOptions> = {}): Promise<FakeDoor> {
  const api = new FakeApi();
  const log = memoryLog();
  const door = await startOpsDoor({
    endpoint: LOOPBACK,
    tokens: [],
    api,
    log,
    version: "1.2.3",
    ...options,
  });
  return { ...door, api, log };
}

export interface Ask {
  readonly method?: string;
  readonly token?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: unknown;
}

/** One request on its own connection, with the Host and other headers as told. */
export function ask(door: OpsDoor, path: string, options: Ask = {}): Promise<Reply> {
  const { method = "GET", token, headers = {}, body } = options;
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const type = body === undefined ? {} : { "content-type": "application/json" };
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        ...door.endpoint,
        method,
        path,
        agent: false,
        headers: {
          ...type,
          ...authorization,
          ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parse(text) });
        });
      },
    );
    asked.on("error", reject);
    asked.end(body);
  });
}

export function put(door: OpsDoor, path: string, body: unknown, options: Ask = {}): Promise<Reply> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return ask(door, path, { method: "PUT", body: text, ...options });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Names and types of families, and every sample by its name with labels. */
export interface Scrape {
  readonly types: Map<string, string>;
  readonly samples: Map<string, number>;
}

/** A strict little reader of the Prometheus text format; throws at a line it cannot read. */
export function parseMetrics(text: string): Scrape {
  const types = new Map<string, string>();
  const samples = new Map<string, number>();
  for (const line of text.split("\n")) {
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(line);
    if (type?.[1] !== undefined && type[2] !== undefined) types.set(type[1], type[2]);
    if (line === "" || line.startsWith("#")) continue;
    const sample = /^([a-z_][a-z0-9_]*(?:\{.*\})?) (\S+)$/i.exec(line);
    if (sample?.[1] === undefined || samples.has(sample[1])) throw new Error(`bad line: ${line}`);
    samples.set(sample[1], sample[2] === "+Inf" ? Infinity : Number(sample[2]));
  }
  return { types, samples };
}

export function counterFamily(
  name: string,
  value: number,
  labels: Record<string, string> = {},
): MetricFamily {
  return { kind: "counter", name, help: "a count", samples: [{ labels, value }] };
}
