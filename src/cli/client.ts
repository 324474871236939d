import { Agent, request } from "undici";
import type { ChallengeView } from "../model/acme.ts";
import type { Endpoint } from "../model/inventory.ts";
import { type Answer, done, type Failure } from "./answer.ts";
import { badToken, notEdgeward, type Reply, refusal, unreached } from "./refusal.ts";
import { isReply, type Replies } from "./reply.ts";
import type { EdgeView, ExplainView, Readiness } from "../model/views.ts";
import type { AcmeChangedView, ReloadedView, ReplacedView, StateSetView, StatusView } from "./views.ts";

/** The operators' door, as the commands use it. */
export interface OpsClient {
  explain(question: ExplainQuestion): Promise<Answer<ExplainView>>;
  edges(): Promise<Answer<readonly EdgeView[]>>;
  status(): Promise<Answer<StatusView>>;
  edge(id: string): Promise<Answer<EdgeView>>;
  setState(id: string, change: StateChange): Promise<Answer<StateSetView>>;
  reload(): Promise<Answer<ReloadedView>>;
  replace(): Promise<Answer<ReplacedView>>;
  challenges(): Promise<Answer<readonly ChallengeView[]>>;
  setChallenge(hostname: string, value: string, until?: string): Promise<Answer<AcmeChangedView>>;
  /** One value, or all of the hostname. */
  removeChallenge(hostname: string, value?: string): Promise<Answer<AcmeChangedView>>;
  ready(): Promise<Answer<Readiness>>;
  close(): Promise<void>;
}

export interface ExplainQuestion {
  readonly hostname: string;
  /** An address or a prefix. */
  readonly ip: string;
  readonly path?: string;
  readonly at?: string;
}

export interface StateChange {
  readonly state: "active" | "drain";
  readonly reason?: string;
  /** RFC 3339, or a duration. */
  readonly until?: string;
  /** By when a drain is to be finished; the same. */
  readonly deadline?: string;
}

/**
 * @param server the door's origin, with a path where a proxy puts it under one
 * @param token sent as a bearer token (RFC 6750 2.1)
 */
export function createClient(server: URL, token: string | undefined): OpsClient {
  const agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: ANSWER_TIMEOUT_MS,
    maxResponseSize: MAX_ANSWER_OCTETS,
  });
  const ask = async <N extends keyof Replies>(name: N, request: Request): Promise<Answer<Replies[N]>> => {
    const reply = await send(agent, server, token, request);
    if (reply.kind !== "reply") return reply;
    if (reply.status !== 200) return refusal(server, token, reply);
    return isReply(name, reply.body) ? done(reply.body) : notEdgeward(server, reply);
  };
  const edges = (): Promise<Answer<readonly EdgeView[]>> => ask("edges", { path: "v1/edges" });
  const edgeIds = async (): Promise<string[]> => valuesOf(await edges()).map(({ id }) => id);
  const hostnames = async (): Promise<string[]> =>
    valuesOf(await ask("services", { path: "v1/services" })).flatMap(({ hostnames }) => hostnames);
  return {
    edges,
    status: () => ask("status", { path: "v1/status" }),
    explain: async (question) =>
      named(question.hostname, await ask("explain", { path: `v1/explain?${queryOf(question)}` }), hostnames),
    edge: async (id) => named(id, await ask("edge", { path: edgePath(id) }), edgeIds),
    setState: async (id, change) =>
      named(
        id,
        await ask("state-set", { method: "PUT", path: `${edgePath(id)}/state`, body: change }),
        edgeIds,
      ),
    challenges: () => ask("challenges", { path: "v1/acme" }),
    setChallenge: async (hostname, value, until) => {
      const body = { value, ...(until === undefined ? {} : { until }) };
      const request = { method: "PUT", path: acmePath(hostname), body } as const;
      return named(hostname, await ask("acme-changed", request), hostnames);
    },
    removeChallenge: async (hostname, value) => {
      const query = value === undefined ? "" : `?value=${encodeURIComponent(value)}`;
      const request = { method: "DELETE", path: acmePath(hostname) + query } as const;
      return named(hostname, await ask("acme-changed", request), hostnames);
    },
    ready: async () => {
      const reply = await send(agent, server, token, { path: "readyz" });
      if (reply.kind !== "reply") return reply;
      // Not ready is an answer too, and comes with 503.
      return isReply("ready", reply.body) ? done(reply.body) : notEdgeward(server, reply);
    },
    reload: () => ask("reloaded", { method: "POST", path: "v1/reload", timeoutMs: PATIENT_TIMEOUT_MS }),
    replace: () => ask("replaced", { method: "POST", path: "v1/replace", timeoutMs: PATIENT_TIMEOUT_MS }),
    close: () => agent.destroy(),
  };
}

function acmePath(hostname: string): string {
  return `v1/acme/${encodeURIComponent(hostname)}`;
}

/** Where this machine reaches a door that listens there. */
export function serverUrl({ host, port }: Endpoint): string {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}

const CONNECT_TIMEOUT_MS = 5000;
const ANSWER_TIMEOUT_MS = 30_000;
/** Longer than the service waits for the new process, or for a configuration to be read. */
const PATIENT_TIMEOUT_MS = 90_000;
const MAX_ANSWER_OCTETS = 64 * 1024 * 1024;

interface Request {
  readonly method?: "GET" | "PUT" | "POST" | "DELETE";
  /** Under the server's own path. */
  readonly path: string;
  readonly body?: object;
  /** Left out: `ANSWER_TIMEOUT_MS`. */
  readonly timeoutMs?: number;
}

async function send(
  agent: Agent,
  server: URL,
  token: string | undefined,
  { method = "GET", path, body, timeoutMs = ANSWER_TIMEOUT_MS }: Request,
): Promise<Reply | Failure> {
  if (token !== undefined && !TOKEN.test(token)) return badToken;
  try {
    const response = await request(new URL(path, withSlash(server)), {
      dispatcher: agent,
      headersTimeout: timeoutMs,
      method,
      headers: {
        accept: "application/json, application/problem+json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    return { kind: "reply", status: response.statusCode, body: parsed(await response.body.text()) };
  } catch (error) {
    return unreached(server, error as NodeJS.ErrnoException);
  }
}

/** RFC 6750 2.1, and wider: any visible ASCII. */
const TOKEN = /^[\u0021-\u007e]+$/;

function withSlash(server: URL): URL {
  const base = new URL(server);
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  return base;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Completes the answer about a name that the service does not know with those that it knows. */
async function named<T>(name: string, answer: Answer<T>, list: () => Promise<string[]>): Promise<Answer<T>> {
  return answer.kind === "unknown" ? { ...answer, name, known: await list() } : answer;
}

function valuesOf<T>(answer: Answer<readonly T[]>): readonly T[] {
  return answer.kind === "done" ? answer.value : [];
}

function edgePath(id: string): string {
  return `v1/edges/${encodeURIComponent(id)}`;
}

function queryOf(question: ExplainQuestion): string {
  return new URLSearchParams(Object.entries(question)).toString();
}
