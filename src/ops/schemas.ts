import { REJECTION_REASONS } from "../model/decision.ts";

/** JSON Schemas (2020-12) of what the door takes and gives. Each stands alone, without references. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const text: JsonSchema = { type: "string" };
const number: JsonSchema = { type: "number" };
const count: JsonSchema = { type: "integer", minimum: 0 };
const truth: JsonSchema = { type: "boolean" };
const epochMs: JsonSchema = { type: "number", description: "milliseconds since 1970" };
const distanceKm: JsonSchema = {
  type: ["number", "null"],
  description: "great-circle kilometres; null: the viewer cannot be located",
};
const adminState: JsonSchema = { enum: ["active", "drain", "off"] };
const texts = arrayOf(text);

const MAX_STREAMS = 10_000;

/** A number that JSON can carry: 1e309 reads as infinity, which no number field takes. */
const amount: JsonSchema = { type: "number", minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
const share: JsonSchema = { type: "number", minimum: 0, maximum: 1 };

export const LOAD_REPORT: JsonSchema = {
  ...object(
    {},
    {
      viewers: amount,
      bandwidth: { ...amount, description: "bits per second out" },
      cpu: share,
      memory: share,
      streams: { ...arrayOf({ type: "string", minLength: 1, maxLength: 512 }), maxItems: MAX_STREAMS },
      capacity: {
        ...object({}, { viewers: amount, bandwidth: amount }),
        description: "what the server says it can carry; counts where the operator gave none",
      },
    },
  ),
  description: "What an edge says of itself. Each field is optional: unknown is not zero.",
};

export const STATE_CHANGE: JsonSchema = object(
  { state: adminState },
  {
    reason: { type: "string", maxLength: 500 },
    until: {
      type: "string",
      maxLength: 40,
      description: "RFC 3339 timestamp, or a duration from now as 2h",
    },
    deadline: {
      type: "string",
      maxLength: 40,
      description: "of a drain: by when nobody is to be left; as until",
    },
  },
);

export const EDGE_PARAMS: JsonSchema = object({ id: text });

export const HOSTNAME_PARAMS: JsonSchema = object({
  hostname: { type: "string", minLength: 1, maxLength: 254, description: "with or without a wildcard's *." },
});

const challengeValue: JsonSchema = { type: "string", minLength: 1, maxLength: 255 };

export const ACME_CHANGE: JsonSchema = object(
  { value: challengeValue },
  {
    until: {
      type: "string",
      maxLength: 40,
      description: "RFC 3339 timestamp, or a duration from now as 2h; default 1h",
    },
  },
);

export const ACME_VALUE_QUERY: JsonSchema = object({}, { value: challengeValue });

export const ACME_UPDATE: JsonSchema = {
  ...object({ subdomain: { type: "string", maxLength: 254 }, txt: { type: "string", maxLength: 255 } }),
  additionalProperties: true,
};

export const ACME_UPDATED: JsonSchema = object({ txt: text });

export const CHALLENGES: JsonSchema = arrayOf(
  object({
    hostname: text,
    name: text,
    values: arrayOf(object({ value: text, by: text, untilMs: epochMs })),
  }),
);

export const ACME_CHANGED: JsonSchema = object({ challenges: CHALLENGES, removed: count });

export const EXPLAIN_QUERY: JsonSchema = object(
  {
    hostname: { type: "string", minLength: 1, maxLength: 254 },
    ip: {
      type: "string",
      minLength: 1,
      maxLength: 64,
      description: "an address, or a prefix as 203.0.113.0/24",
    },
  },
  {
    path: { type: "string", maxLength: 8192, description: "of the request; a query behind it is left out" },
    at: { enum: ["dns", "http"], description: "which door; http where a path is given, otherwise dns" },
  },
);

const alarms = { ...texts, description: "what an operator should look at now, though viewers are served" };
export const READINESS: JsonSchema = object({ ready: truth, reasons: texts }, { alarms });

const configurationProblem = object({ file: text, line: count, column: count, path: text, message: text });

export const PROBLEM: JsonSchema = {
  ...object(
    { type: text, title: text, status: count },
    { detail: text, problems: arrayOf(configurationProblem), ready: truth, reasons: texts, alarms: texts },
  ),
  description: "RFC 9457",
};

const stateOrigin: JsonSchema = {
  oneOf: [
    object({ kind: { const: "file" } }),
    object(
      { kind: { const: "operator" }, by: text, reason: text, atMs: epochMs },
      { untilMs: epochMs, deadlineMs: epochMs },
    ),
  ],
};

export const STATUS: JsonSchema = object(
  {
    version: text,
    node: text,
    uptimeSeconds: number,
    ready: truth,
    reasons: texts,
    configuration: object({
      file: text,
      generation: count,
      lastReload: object({ successful: truth, atMs: epochMs, problems: arrayOf(configurationProblem) }),
    }),
    edges: object({ total: count, up: count, active: count }),
    absentEdges: {
      ...arrayOf(object({ id: text, state: adminState, stateOrigin, forgottenAtMs: epochMs })),
      description: "edges that are not configured any more, and what an operator set of them before",
    },
    services: count,
    geoip: arrayOf(object({ layer: { enum: ["city", "asn"] }, file: text, builtAtMs: epochMs })),
  },
  { alarms },
);

const condition = {
  health: arrayOf(
    object(
      { family: { enum: [4, 6] }, health: { enum: ["unknown", "up", "down"] }, sinceMs: epochMs },
      { reason: text, detail: text, inDoubt: { const: true } },
    ),
  ),
  state: adminState,
  stateOrigin,
  load: LOAD_REPORT,
};
const conditionOptional = {
  loadRatio: { type: "number", description: "share of the capacity in use" },
  reportAgeMs: number,
};

export const STATE_SET: JsonSchema = object(
  { persisted: truth },
  {
    condition: {
      ...object({ edgeId: text, ...condition }, conditionOptional),
      description: "left out: the edge is not configured any more, and what was set of it is forgotten",
    },
    replaced: {
      ...object({ state: adminState, stateOrigin }),
      description: "what an operator had set before, which holds no longer",
    },
    unserved: { ...texts, description: "services of the edge in which no edge takes viewers now" },
  },
);

export const EDGE: JsonSchema = object(
  {
    id: text,
    index: count,
    tags: texts,
    location: object({ latitude: number, longitude: number }),
    addresses: texts,
    capacity: object({}, { viewers: number, bandwidth: number, cpu: number, memory: number }),
    weight: number,
    priceKm: {
      type: "number",
      description: "kilometres that are added to the distance, so that demand meets capacity",
    },
    ...condition,
  },
  {
    url: text,
    loadFailures: arrayOf(object({ type: text, problem: text })),
    drain: object(
      { steeredHere: count, movedShare: number },
      {
        viewersLeft: number,
        deadlineMs: epochMs,
        emptyAtMs: epochMs,
        keptUntilMs: epochMs,
        emptySinceMs: epochMs,
      },
    ),
    staleStreams: {
      ...object({ count, names: texts }),
      description: "streams that stand still there; of many, the first ten names",
    },
    keptBy: { ...texts, description: "services that send viewers there though probes find it down" },
    ...conditionOptional,
  },
);
export const EDGES: JsonSchema = arrayOf(EDGE);

const viewerRule = object({
  countries: texts,
  continents: texts,
  networks: texts,
  asns: arrayOf(count),
});
const fallback = object({ addresses: texts }, { url: text });

export const SERVICES: JsonSchema = arrayOf(
  object(
    {
      id: text,
      hostnames: texts,
      edges: texts,
      rank: { enum: ["nearest", "least-loaded", "weighted", "failover"] },
      affinity: { enum: ["none", "stream", "viewer"] },
      dns: object({ ttlSeconds: number, ttlInDoubtSeconds: number, answers: count }),
      http: object(
        { stickinessSeconds: number, url: text },
        {
          redirectorPhp: truth,
          redirectToHttps: object({ status: { enum: [301, 302, 307, 308] }, port: count }),
          templates: arrayOf(object({ url: text }, { tags: texts, scheme: { enum: ["http", "https"] } })),
          urls: { type: "object", additionalProperties: text },
          links: truth,
          serverTiming: truth,
        },
      ),
      whenFull: { enum: ["spill", "refuse"] },
      whenDown: { enum: ["fail-open", "fallback", "refuse"] },
    },
    {
      paths: { ...texts, description: "patterns; left out: every path" },
      maxDistanceKm: { type: "number", description: "left out: viewers may be sent anywhere" },
      allow: viewerRule,
      deny: viewerRule,
      fallback,
    },
  ),
);

export const EXPLANATION: JsonSchema = object({
  service: text,
  rank: { enum: ["nearest", "least-loaded", "weighted", "failover"] },
  viewer: object(
    { address: text, prefix: text, layer: { enum: ["places", "city", "country", "none"] } },
    { country: text, continent: text, city: text, latitude: number, longitude: number, asn: count },
  ),
  edges: arrayOf(
    object(
      {
        id: text,
        distanceKm,
        priceKm: {
          type: "number",
          description: "that of the edge, and, where it is nearly full, what the last room costs a viewer",
        },
        load: {
          type: ["number", "null"],
          description: "share of the capacity in use; null: unknown or unlimited",
        },
        up: object({ 4: truth, 6: truth }),
      },
      {
        url: text,
        correctionKm: { type: "number", description: "kilometres that players' reports add to the distance" },
        favour: object({ km: number, why: { enum: ["preferred", "stream", "warm", "viewer"] } }),
        down: {
          ...arrayOf({ enum: [4, 6] }),
          description: "families that are not up though the edge has addresses in them",
        },
      },
    ),
  ),
  rejected: arrayOf(
    object({ id: text, reason: { enum: [...REJECTION_REASONS, "no-address", "no-url"] }, distanceKm }),
  ),
  outcome: object(
    { kind: { enum: ["edges", "overload", "fail-open", "fallback", "refused"] } },
    { reason: { enum: ["full", "down", "not-allowed", "no-edges", "no-ipv4"] }, fallback },
  ),
  ttlSeconds: number,
  scopePrefix: text,
});

export const RELOADED: JsonSchema = object({
  changed: { ...texts, description: "dotted paths of what differs" },
});

export const REPLACED: JsonSchema = object({
  pid: { type: "integer", description: "of the process that serves from now on" },
});

function arrayOf(items: JsonSchema): JsonSchema {
  return { type: "array", items };
}

function object(required: Record<string, JsonSchema>, optional: Record<string, JsonSchema> = {}): JsonSchema {
  return {
    type: "object",
    properties: { ...required, ...optional },
    required: Object.keys(required),
    additionalProperties: false,
  };
}
