import fastify from "fastify";
import { describe, expect, it } from "vitest";
import { openapiDocument } from "../../src/ops/openapi.ts";
import { COMPONENTS, OPERATIONS } from "../../src/ops/operations.ts";
import { ask, EDGES, EXPLANATION, FakeApi, openDoor, SERVICES } from "./fake.ts";

interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly components: { readonly schemas: Record<string, object> };
  readonly paths: Record<string, Record<string, DocumentedOperation>>;
}

interface DocumentedOperation {
  readonly operationId: string;
  readonly security: readonly object[];
  readonly parameters?: readonly { name: string; in: string; required: boolean }[];
  readonly requestBody?: object;
  readonly responses: Record<string, { description: string }>;
}

const document = JSON.parse(JSON.stringify(openapiDocument("1.2.3"))) as Document;
const documented: (DocumentedOperation & { path: string; method: string })[] = Object.entries(
  structuredClone(document.paths),
).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => Object.assign(operation, { path, method })),
);

describe("the OpenAPI document", () => {
  it("is served by the door", async () => {
    const door = await openDoor();
    const reply = await ask(door, "/v1/openapi.json");
    await door.stop();
    expect(reply.json).toEqual(document);
    expect(document).toMatchObject({ openapi: "3.1.0", info: { version: "1.2.3" } });
  });

  it("has every route of the contract", () => {
    expect(documented.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(
      [
        "get /",
        "get /healthz",
        "get /readyz",
        "get /metrics",
        "get /v1/status",
        "get /v1/edges",
        "get /v1/edges/{id}",
        "get /v1/services",
        "get /v1/explain",
        "get /v1/events",
        "get /v1/openapi.json",
        "put /v1/edges/{id}/load",
        "put /v1/edges/{id}/state",
        "get /v1/acme",
        "put /v1/acme/{hostname}",
        "delete /v1/acme/{hostname}",
        "post /update",
        "post /v1/reload",
        "post /v1/replace",
      ].sort(),
    );
  });

  it("names each operation once, with its path parameters and one success", () => {
    expect(new Set(documented.map(({ operationId }) => operationId)).size).toBe(OPERATIONS.length);
    for (const { path, parameters = [], responses } of documented) {
      const inPath = parameters.filter((parameter) => parameter.in === "path").map(({ name }) => name);
      expect([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)).toEqual(inPath);
      expect(Object.keys(responses).filter((status) => status < "300")).toHaveLength(1);
      for (const response of Object.values(responses)) expect(response.description).not.toBe("");
    }
  });

  it("knows how bodies are refused, wherever one may be sent", async () => {
    const door = await openDoor();
    const writing = documented.filter(({ method }) => method !== "get");
    expect(writing.length).toBeGreaterThan(5);
    const bodies = [
      { type: "application/json", body: "{" },
      { type: "application/json", body: JSON.stringify("x".repeat(1 << 20)) },
      { type: "text/plain", body: "x" },
      { type: "application/json", body: "{}", coding: "gzip" },
    ];
    for (const { method, path, responses } of writing) {
      const at = path.replace("{id}", "ams1").replace("{hostname}", "live.cdn.example.net");
      for (const { type, body, coding } of bodies) {
        const headers = { "content-type": type, ...(coding && { "content-encoding": coding }) };
        const { status } = await ask(door, at, { method: method.toUpperCase(), headers, body });
        expect(Object.keys(responses), `${method} ${path} ${type}`).toContain(String(status));
      }
    }
    await door.stop();
  });

  it("has no reference that leads nowhere", () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, to = ""]) => to);
    expect(references.length).toBeGreaterThan(10);
    for (const to of references) {
      expect(Object.keys(document.components.schemas)).toContain(to.replace("#/components/schemas/", ""));
    }
  });

  it("asks for a token everywhere but at the two health checks, and where acme-dns' clients bring their own", () => {
    const open = documented.filter(({ security }) => security.length === 0).map(({ path }) => path);
    expect(open.sort()).toEqual(["/healthz", "/readyz", "/update"]);
  });
});

describe("what the application answers keeps the documented schemas", () => {
  const api = new FakeApi();
  const condition = { edgeId: "ams1", ...pick(EDGES[1], ["health", "state", "stateOrigin", "load"]) };
  it.each([
    ["Status", api.status()],
    ["Edges", EDGES],
    ["Services", SERVICES],
    ["Explanation", EXPLANATION],
    ["Readiness", api.ready()],
    ["StateSet", { persisted: true, condition }],
    ["StateSet", { persisted: true }],
    ["Reloaded", { changed: ["edges.ams1"] }],
  ] as const)("%s", async (name, body) => {
    expect(await validity(name, body)).toBe("");
    expect(await validity(name, { unknown: 1 })).not.toBe("");
  });
});

/** The validator's message; empty when the body keeps the schema. */
async function validity(name: keyof typeof COMPONENTS, body: unknown): Promise<string> {
  const ajv = { customOptions: { coerceTypes: false, removeAdditional: false } } as const;
  const app = fastify({ ajv });
  app.post("/", { schema: { body: COMPONENTS[name] } }, async () => "");
  const reply = await app.inject({
    method: "POST",
    url: "/",
    headers: { "content-type": "application/json" },
    payload: JSON.stringify(body),
  });
  await app.close();
  return reply.body;
}

function pick<T extends object, K extends keyof T>(from: T | undefined, keys: readonly K[]): Partial<T> {
  return Object.fromEntries(keys.map((key) => [key, from?.[key]])) as Partial<T>;
}
