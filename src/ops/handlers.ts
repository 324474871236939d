import { parseAddress, parsePrefix } from "../base/address.ts";
import type { Client } from "../model/client.ts";
import type { AdminState } from "../model/edge.ts";
import type { Log } from "../model/log.ts";
import type { ChallengeVerdict, ExplainQuestion, OpsApi, StateChange } from "./api.ts";
import { type Caller, nameOf } from "./auth.ts";
import type { RenderMetrics } from "./metrics.ts";
import { JSON_TYPE, type OperationId } from "./operations.ts";
import { PAGE, PAGE_CONTENT_TYPE, PAGE_POLICY } from "./page.ts";
import { type ProblemCode, type ProblemDocument, type ProblemExtras, problem } from "./problems.ts";
import { parseUntil } from "./until.ts";

/** A request that was admitted and whose parts keep their schemas. */
export interface Call {
  readonly caller: Caller;
  readonly params: { readonly id?: string; readonly hostname?: string };
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly accept: string | undefined;
  /** X-Api-User and X-Api-Key, of operations that have credentials of their own; empty where there are none. */
  readonly apiUser: string;
  readonly apiKey: string;
}

export type Answer =
  | { readonly kind: "json"; readonly body: unknown }
  | {
      readonly kind: "text";
      readonly contentType: string;
      readonly text: string;
      readonly policy?: string;
    }
  | { readonly kind: "empty" }
  | { readonly kind: "problem"; readonly problem: ProblemDocument };

export type Handler = (call: Call) => Answer | Promise<Answer>;

export interface HandlerContext {
  readonly api: OpsApi;
  readonly renderMetrics: RenderMetrics;
  readonly openapi: object;
  readonly log: Log;
  /** Wall clock, milliseconds since 1970. */
  readonly nowMs: () => number;
}

/** One handler per operation; events have their own, since they take over the response. */
export type Handlers = { readonly [id in Exclude<OperationId, "events">]: Handler };

export function createHandlers({ api, renderMetrics, openapi, log, nowMs }: HandlerContext): Handlers {
  return {
    page: () => PAGE_ANSWER,
    healthz: () => text("text/plain; charset=utf-8", "ok\n"),
    readyz: () => readiness(api),
    metrics: async ({ accept }) => {
      const scrape = await renderMetrics(accept);
      return text(scrape.contentType, scrape.text);
    },
    status: () => json(api.status()),
    edges: () => json(api.edges()),
    edge: ({ params }) => edge(api, params.id ?? ""),
    services: () => json(api.services()),
    explain: ({ query }) => explain(api, query),
    openapi: () => text(JSON_TYPE, JSON.stringify(openapi)),
    load: ({ params, body }) => report(api, params.id ?? "", body),
    state: (call) => setState(api, call, nowMs(), log),
    acme: () => json(api.acme.challenges()),
    acmeSet: (call) => setChallenge(api, call, nowMs(), log),
    acmeRemove: (call) => removeChallenge(api, call, log),
    acmeUpdate: (call) => updateChallenge(api, call, log),
    reload: ({ caller }) => reload(api, caller, log),
    replace: ({ caller }) => replace(api, caller, log),
  };
}

export const PAGE_ANSWER: Answer = {
  kind: "text",
  contentType: PAGE_CONTENT_TYPE,
  text: PAGE,
  policy: PAGE_POLICY,
};

function readiness(api: OpsApi): Answer {
  const readiness = api.ready();
  return readiness.ready ? json(readiness) : refuse("not-ready", undefined, readiness);
}

function edge(api: OpsApi, id: string): Answer {
  const view = api.edge(id);
  return view === undefined ? refuse("unknown-edge") : json(view);
}

function explain(api: OpsApi, query: Call["query"]): Answer {
  const client = clientOf(query["ip"] ?? "");
  if (client === undefined) return refuse("invalid-address", WHAT_AN_IP_IS);
  const verdict = api.explain(questionOf(query, client));
  switch (verdict.kind) {
    case "explained":
      return json(verdict.view);
    case "unknown-hostname":
      return refuse("unknown-hostname", "GET /v1/services lists the hostnames");
    case "unknown-path":
      return refuse("unknown-path", `there are ${verdict.paths.join(", ")}`);
    case "not-ready":
      return refuse("not-ready");
  }
}

const WHAT_AN_IP_IS =
  "ip must be an IPv4 or IPv6 address as 203.0.113.7 or 2001:db8::7, or a prefix whose other bits are zero as 203.0.113.0/24";

function clientOf(ip: string): Client | undefined {
  const prefix = parsePrefix(ip);
  if (prefix === undefined) return undefined;
  const { family, bytes, length } = prefix;
  return { address: parseAddress(ip) ?? { family, bytes }, prefixLength: length, from: "asked" };
}

/** A path comes with a request, so asking with one means the redirector unless it is said otherwise. */
function questionOf({ hostname = "", path, at }: Call["query"], client: Client): ExplainQuestion {
  const question = { hostname: hostname.toLowerCase().replace(/\.$/, ""), client };
  const door = at === "dns" || at === "http" ? at : path === undefined ? "dns" : "http";
  return path === undefined ? { ...question, at: door } : { ...question, path: pathIn(path), at: door };
}

/** Decisions know no query, and what is typed in may lack the slash that begins every path. */
function pathIn(text: string): string {
  const [path = ""] = text.split("?");
  return path.startsWith("/") ? path : `/${path}`;
}

function report(api: OpsApi, id: string, body: unknown): Answer {
  const verdict = api.report(id, body);
  switch (verdict.kind) {
    case "taken":
      return { kind: "empty" };
    case "unknown-edge":
      return refuse("unknown-edge");
    case "refused":
      return refuse("invalid-body", verdict.detail);
  }
}

async function setState(
  api: OpsApi,
  { caller, params, body }: Call,
  nowMs: number,
  log: Log,
): Promise<Answer> {
  const change = stateChange(body as StateBody, nowMs);
  if (change.kind === "wrong") return refuse("invalid-body", change.detail);
  const id = params.id ?? "";
  const by = nameOf(caller);
  const verdict = await api.setState(id, change.change, by);
  if (verdict.kind === "unknown-edge") return refuse("unknown-edge");
  const { kind, persisted } = verdict;
  if (kind === "forgotten") {
    log.info({ edge: id, by, persisted }, "state of an edge that is not configured forgotten");
    return json({ persisted });
  }
  const { condition, replaced, unserved } = verdict;
  log.info(
    { edge: id, by, persisted, ...change.change, ...(replaced && { replaced }) },
    "state of an edge set",
  );
  if (unserved !== undefined) log.warn({ services: unserved }, "services without an edge that takes viewers");
  return json({ persisted, condition, ...(replaced && { replaced }), ...(unserved && { unserved }) });
}

/** As its schema promises. */
interface StateBody {
  readonly state: AdminState;
  readonly reason?: string;
  readonly until?: string;
  readonly deadline?: string;
}

type StateChangeRead =
  | { readonly kind: "change"; readonly change: StateChange }
  | { readonly kind: "wrong"; readonly detail: string };

function stateChange({ state, reason = "", until, deadline }: StateBody, nowMs: number): StateChangeRead {
  const end = until === undefined ? undefined : parseUntil(until, nowMs, "until");
  if (end?.kind === "wrong") return end;
  const empty = deadline === undefined ? undefined : parseUntil(deadline, nowMs, "deadline");
  if (empty?.kind === "wrong") return empty;
  if (empty !== undefined && state !== "drain")
    return { kind: "wrong", detail: "deadline is by when an edge that drains is to be empty; leave it out" };
  if (empty !== undefined && end !== undefined && end.atMs <= empty.atMs)
    return {
      kind: "wrong",
      detail: "until is when the drain ends, and must lie after deadline, by when it is empty",
    };
  const times = {
    ...(end === undefined ? {} : { untilMs: end.atMs }),
    ...(empty === undefined ? {} : { deadlineMs: empty.atMs }),
  };
  return { kind: "change", change: { state, reason, ...times } };
}

/** As its schema promises. */
interface AcmeBody {
  readonly value: string;
  readonly until?: string;
}

const CHALLENGE_LASTS = "1h";

function setChallenge(api: OpsApi, { caller, params, body }: Call, nowMs: number, log: Log): Answer {
  const { value, until = CHALLENGE_LASTS } = body as AcmeBody;
  const end = parseUntil(until, nowMs);
  if (end.kind === "wrong") return refuse("invalid-body", end.detail);
  const [hostname, by] = [params.hostname ?? "", nameOf(caller)];
  const verdict = api.acme.set(hostname, value, by, end.atMs - nowMs);
  if (verdict.kind === "done") log.info({ hostname, by, until }, "challenge set");
  return challengeAnswer(verdict);
}

function removeChallenge(api: OpsApi, { caller, params, query }: Call, log: Log): Answer {
  const [hostname, by] = [params.hostname ?? "", nameOf(caller)];
  const verdict = api.acme.remove(hostname, query["value"]);
  if (verdict.kind === "done") log.info({ hostname, by, removed: verdict.removed }, "challenge removed");
  return challengeAnswer(verdict);
}

function challengeAnswer(verdict: ChallengeVerdict): Answer {
  switch (verdict.kind) {
    case "done":
      return json({ challenges: verdict.challenges, removed: verdict.removed });
    case "unknown-hostname":
      return refuse("unknown-hostname", "GET /v1/services lists the hostnames");
    case "refused":
      return refuse("invalid-body", verdict.detail);
  }
}

function updateChallenge(api: OpsApi, { apiUser, apiKey, body }: Call, log: Log): Answer {
  const { subdomain, txt } = body as { readonly subdomain: string; readonly txt: string };
  const verdict = api.acme.update({ username: apiUser, key: apiKey }, subdomain, txt);
  switch (verdict.kind) {
    case "set":
      log.info({ hostname: verdict.hostname, by: verdict.by }, "challenge set");
      return json({ txt });
    case "unauthorized":
      return refuse("unauthorized", "X-Api-User, X-Api-Key and subdomain are not those of an account");
    case "refused":
      return refuse("invalid-body", verdict.detail);
  }
}

async function reload(api: OpsApi, caller: Caller, log: Log): Promise<Answer> {
  log.info({ by: nameOf(caller) }, "reload asked for");
  const verdict = await api.reload();
  return verdict.kind === "taken"
    ? json({ changed: verdict.changed })
    : refuse("invalid-configuration", undefined, { problems: verdict.problems });
}

async function replace(api: OpsApi, caller: Caller, log: Log): Promise<Answer> {
  log.info({ by: nameOf(caller) }, "replacement asked for");
  const verdict = await api.replace();
  switch (verdict.kind) {
    case "replaced":
      return json({ pid: verdict.pid });
    case "refused":
      return refuse("invalid-configuration", undefined, { problems: verdict.problems });
    case "failed":
      return refuse("not-replaced", verdict.reason);
  }
}

function json(body: unknown): Answer {
  return { kind: "json", body };
}

function text(contentType: string, text: string): Answer {
  return { kind: "text", contentType, text };
}

function refuse(code: ProblemCode, detail?: string, extras?: ProblemExtras): Answer {
  return { kind: "problem", problem: problem(code, detail, extras) };
}
