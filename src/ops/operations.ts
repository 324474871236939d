import type { Access } from "./auth.ts";
import type { ProblemCode } from "./problems.ts";
import * as schemas from "./schemas.ts";
import type { JsonSchema } from "./schemas.ts";

/** One thing the door can be asked: the routes, the rules of access and the OpenAPI document read this table. */
export interface Operation {
  readonly id: string;
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** With parameters as in OpenAPI: `/v1/edges/{id}`. */
  readonly path: string;
  readonly access: Access;
  readonly summary: string;
  readonly params?: JsonSchema;
  readonly query?: JsonSchema;
  readonly body?: JsonSchema;
  /** Octets; the largest body taken. */
  readonly bodyLimit: number;
  /** The body is JSON whatever its Content-Type says: some clients leave curl's. */
  readonly anyContentType?: true;
  readonly answer: AnswerKind;
  /** Beyond those that any operation may end in. */
  readonly problems: readonly ProblemCode[];
}

export interface AnswerKind {
  readonly status: 200 | 204;
  readonly description: string;
  readonly contentType?: string;
  /** Name under `components/schemas`. */
  readonly schema?: ComponentName;
}

export const JSON_TYPE = "application/json; charset=utf-8";

export const COMPONENTS = {
  AcmeChange: schemas.ACME_CHANGE,
  AcmeChanged: schemas.ACME_CHANGED,
  AcmeUpdate: schemas.ACME_UPDATE,
  AcmeUpdated: schemas.ACME_UPDATED,
  Challenges: schemas.CHALLENGES,
  Edge: schemas.EDGE,
  Edges: schemas.EDGES,
  Explanation: schemas.EXPLANATION,
  LoadReport: schemas.LOAD_REPORT,
  Problem: schemas.PROBLEM,
  Readiness: schemas.READINESS,
  Reloaded: schemas.RELOADED,
  Replaced: schemas.REPLACED,
  Services: schemas.SERVICES,
  StateChange: schemas.STATE_CHANGE,
  StateSet: schemas.STATE_SET,
  Status: schemas.STATUS,
} as const;

export type ComponentName = keyof typeof COMPONENTS;

const SMALL_BODY = 16 * 1024;
const REPORT_BODY = 1024 * 1024;

export const OPERATIONS = [
  get("page", "/", "viewer", "The edges and the last reload, as a web page", {
    answer: { status: 200, description: "HTML", contentType: "text/html; charset=utf-8" },
  }),
  get("healthz", "/healthz", "anyone", "Is the process alive?", {
    answer: { status: 200, description: "It is", contentType: "text/plain; charset=utf-8" },
  }),
  get("readyz", "/readyz", "anyone", "Are the viewers' doors open?", {
    answer: { ...json("Readiness"), description: "They are" },
    problems: ["not-ready"],
  }),
  get("metrics", "/metrics", "viewer", "Prometheus text format, or OpenMetrics where Accept asks for it", {
    answer: { status: 200, description: "Metrics", contentType: "text/plain; version=0.0.4; charset=utf-8" },
  }),
  get("status", "/v1/status", "viewer", "What runs here, and how the last reload went", {
    answer: json("Status"),
  }),
  get("edges", "/v1/edges", "viewer", "Every edge and its condition now", { answer: json("Edges") }),
  get("edge", "/v1/edges/{id}", "viewer", "One edge and its condition now", {
    params: schemas.EDGE_PARAMS,
    answer: json("Edge"),
    problems: ["unknown-edge"],
  }),
  get("services", "/v1/services", "viewer", "Every service as configured", { answer: json("Services") }),
  get("explain", "/v1/explain", "viewer", "Where a viewer would be sent, and why", {
    query: schemas.EXPLAIN_QUERY,
    answer: json("Explanation"),
    problems: ["unknown-hostname", "unknown-path", "invalid-address", "not-ready"],
  }),
  get("events", "/v1/events", "viewer", "Condition changes, reloads and sampled decisions as they happen", {
    answer: { status: 200, description: "Server-sent events", contentType: "text/event-stream" },
    problems: ["too-many-subscribers"],
  }),
  get("openapi", "/v1/openapi.json", "viewer", "This document", {
    answer: { status: 200, description: "OpenAPI 3.1", contentType: JSON_TYPE },
  }),
  {
    id: "load",
    method: "PUT",
    path: "/v1/edges/{id}/load",
    access: "reporter",
    summary: "What an edge says of its load",
    params: schemas.EDGE_PARAMS,
    body: schemas.LOAD_REPORT,
    bodyLimit: REPORT_BODY,
    answer: { status: 204, description: "Taken" },
    problems: ["unknown-edge", "invalid-body"],
  },
  {
    id: "state",
    method: "PUT",
    path: "/v1/edges/{id}/state",
    access: "operator",
    summary: "Drain an edge, take it out of service, or bring it back",
    params: schemas.EDGE_PARAMS,
    body: schemas.STATE_CHANGE,
    bodyLimit: SMALL_BODY,
    answer: json("StateSet"),
    problems: ["unknown-edge", "invalid-body"],
  },
  get("acme", "/v1/acme", "viewer", "TXT values at _acme-challenge names, for certificate authorities", {
    answer: json("Challenges"),
  }),
  {
    id: "acmeSet",
    method: "PUT",
    path: "/v1/acme/{hostname}",
    access: "operator",
    summary: "Answer one more value at the _acme-challenge name of a service's hostname",
    params: schemas.HOSTNAME_PARAMS,
    body: schemas.ACME_CHANGE,
    bodyLimit: SMALL_BODY,
    answer: json("AcmeChanged"),
    problems: ["unknown-hostname", "invalid-body"],
  },
  {
    id: "acmeRemove",
    method: "DELETE",
    path: "/v1/acme/{hostname}",
    access: "operator",
    summary: "Take one value away, or all of the hostname",
    params: schemas.HOSTNAME_PARAMS,
    query: schemas.ACME_VALUE_QUERY,
    bodyLimit: SMALL_BODY,
    answer: json("AcmeChanged"),
    problems: ["unknown-hostname"],
  },
  {
    id: "acmeUpdate",
    method: "POST",
    path: "/update",
    access: "anyone",
    summary: "As at acme-dns, with X-Api-User and X-Api-Key of an account; the two newest values are kept",
    body: schemas.ACME_UPDATE,
    bodyLimit: SMALL_BODY,
    anyContentType: true,
    answer: json("AcmeUpdated"),
    problems: ["unauthorized", "invalid-body"],
  },
  {
    id: "reload",
    method: "POST",
    path: "/v1/reload",
    access: "operator",
    summary: "Read the configuration again",
    bodyLimit: SMALL_BODY,
    answer: json("Reloaded"),
    problems: ["invalid-configuration"],
  },
  {
    id: "replace",
    method: "POST",
    path: "/v1/replace",
    access: "operator",
    summary: "Start the program anew in this process's place, without a lost query or connection",
    bodyLimit: SMALL_BODY,
    answer: json("Replaced"),
    problems: ["invalid-configuration", "not-replaced"],
  },
] as const satisfies readonly Operation[];

export type OperationId = (typeof OPERATIONS)[number]["id"];

/** Methods that the path answers to, in the table's order; empty where there is nothing. */
export function methodsAt(path: string): string[] {
  const methods = OPERATIONS.filter((operation) => patternOf(operation.path).test(path)).flatMap(
    ({ method, id }) => (method === "GET" && id !== "events" ? ["GET", "HEAD"] : [method]),
  );
  return [...new Set(methods)];
}

/** What any operation of that access, and any with a body, may end in. */
export function commonProblems({ access, method, anyContentType }: Operation): readonly ProblemCode[] {
  return [
    ...(access === "anyone" ? [] : (["malformed-request", "unauthorized", "forbidden"] as const)),
    ...(method === "GET" ? [] : (["malformed-request", "too-large", "encoded-body"] as const)),
    ...(method === "GET" || anyContentType === true ? [] : (["not-json"] as const)),
  ];
}

function get<const Id extends string>(
  id: Id,
  path: string,
  access: Access,
  summary: string,
  rest: Pick<Operation, "answer"> & Partial<Pick<Operation, "params" | "query" | "problems">>,
): Operation & { readonly id: Id } {
  return { id, method: "GET", path, access, summary, bodyLimit: SMALL_BODY, problems: [], ...rest };
}

function json(schema: ComponentName): AnswerKind {
  return { status: 200, description: schema, contentType: JSON_TYPE, schema };
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(".", "\\.").replace(/\{\w+\}/g, "[^/]+")}$`);
}
