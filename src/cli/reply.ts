import type { ChallengeView } from "../model/acme.ts";
import type { Problem } from "../model/problem.ts";
import type { EdgeView, ExplainView, Readiness } from "../model/views.ts";
import type { AcmeChangedView, ReloadedView, ReplacedView, StateSetView, StatusView } from "./views.ts";

/** The answers that commands read, and what each must hold before anyone prints it. */
export interface Replies {
  readonly explain: ExplainView;
  readonly edges: readonly EdgeView[];
  readonly edge: EdgeView;
  readonly status: StatusView;
  readonly "state-set": StateSetView;
  readonly reloaded: ReloadedView;
  readonly replaced: ReplacedView;
  readonly challenges: readonly ChallengeView[];
  readonly "acme-changed": AcmeChangedView;
  readonly ready: Readiness;
  readonly services: readonly { readonly hostnames: readonly string[] }[];
  readonly problems: { readonly problems: readonly Problem[] };
}

/** Whether JSON from the network has the parts that printing relies on. */
export function isReply<N extends keyof Replies>(name: N, body: unknown): body is Replies[N] {
  return CHECKS[name](body);
}

type Check = (value: unknown) => boolean;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const text: Check = (value) => typeof value === "string";
const number: Check = (value) => typeof value === "number";
const truth: Check = (value) => typeof value === "boolean";

const load = record(
  {},
  { viewers: number, bandwidth: number, cpu: number, memory: number, streams: listOf(text) },
);

const stateOrigin = record(
  { kind: text },
  { by: text, reason: text, atMs: number, untilMs: number, deadlineMs: number },
);

const condition = {
  health: listOf(
    record({ family: number, health: text, sinceMs: number }, { reason: text, detail: text, inDoubt: truth }),
  ),
  state: text,
  stateOrigin,
  load,
};
const conditionOptional = { loadRatio: number, reportAgeMs: number };

const drain = record(
  { steeredHere: number, movedShare: number },
  { viewersLeft: number, deadlineMs: number, emptyAtMs: number, keptUntilMs: number, emptySinceMs: number },
);

const edge = record(
  {
    id: text,
    tags: listOf(text),
    location: record({ latitude: number, longitude: number }),
    addresses: listOf(text),
    capacity: record({}, { viewers: number, bandwidth: number }),
    weight: number,
    priceKm: number,
    ...condition,
  },
  {
    url: text,
    keptBy: listOf(text),
    loadFailures: listOf(record({ type: text, problem: text })),
    staleStreams: record({ count: number, names: listOf(text) }),
    drain,
    ...conditionOptional,
  },
);

const challenges = listOf(
  record({
    hostname: text,
    name: text,
    values: listOf(record({ value: text, by: text, untilMs: number })),
  }),
);

const problem = record({ file: text, line: number, column: number, path: text, message: text });

const CHECKS: Readonly<Record<keyof Replies, Check>> = {
  explain: record(
    {
      service: text,
      viewer: record(
        { address: text, prefix: text, layer: text },
        { country: text, continent: text, city: text, latitude: number, longitude: number, asn: number },
      ),
      edges: listOf(
        record(
          { id: text, priceKm: number, up: record({ 4: truth, 6: truth }) },
          { url: text, correctionKm: number },
        ),
      ),
      rejected: listOf(record({ id: text, reason: text })),
      outcome: record(
        { kind: text },
        { reason: text, fallback: record({ addresses: listOf(text) }, { url: text }) },
      ),
      ttlSeconds: number,
      scopePrefix: text,
    },
    { rank: text },
  ),
  edges: listOf(edge),
  edge,
  "state-set": record(
    { persisted: truth },
    {
      condition: record(condition, conditionOptional),
      replaced: record({ state: text, stateOrigin }),
      unserved: listOf(text),
    },
  ),
  status: record(
    {},
    { absentEdges: listOf(record({ id: text, state: text, stateOrigin, forgottenAtMs: number })) },
  ),
  challenges,
  "acme-changed": record({ challenges, removed: number }),
  reloaded: record({ changed: listOf(text) }),
  replaced: record({ pid: number }),
  ready: record({ ready: truth, reasons: listOf(text) }, { alarms: listOf(text) }),
  services: listOf(record({ hostnames: listOf(text) })),
  problems: record({ problems: listOf(problem) }),
};

function listOf(member: Check): Check {
  return (value) => Array.isArray(value) && value.every(member);
}

function record(required: Record<string, Check>, optional: Record<string, Check> = {}): Check {
  return (value) =>
    isRecord(value) &&
    Object.entries(required).every(([key, check]) => check(value[key])) &&
    Object.entries(optional).every(([key, check]) => value[key] === undefined || check(value[key]));
}
