import fastify from "fastify";
import { expect, it } from "vitest";
import type { Condition } from "../../src/model/condition.ts";
import type { Decision } from "../../src/model/decision.ts";
import { COMPONENTS } from "../../src/ops/operations.ts";
import { createRedirector } from "../../src/engine/redirector.ts";
import { edgeView, explainView, serviceView } from "../../src/control/views.ts";
import { inventoryOf } from "../config/support.ts";
import { clientOf, LONDON, worldOf } from "../selection/fixture.ts";

// With every key that operators are shown.
const inventory = await inventoryOf(`
listen: { http: ["127.0.0.1:8080"] }
zones: { example.net: { nameservers: [ns.example.org], contact: a@example.net } }
edges:
  lon1:
    location: { latitude: 51.5, longitude: -0.1 }
    addresses: [192.0.2.1, "2001:db8::1"]
    url: https://lon1.example.org
    tags: [ssd]
    capacity: { viewers: 700, bandwidth: 1Gbps, cpu: 0.8, memory: 0.9 }
    weight: 2
services:
  live:
    hostnames: [live.example.net]
    paths: ["/live/*"]
    allow: { countries: [GB] }
    deny: { networks: [198.51.100.0/24] }
    maxDistanceKm: 900
    fallback: { url: "https://origin.example.org", addresses: [192.0.2.9] }
    whenDown: fallback
    http:
      redirectorPhp: true
      links: true
      serverTiming: true
      redirectToHttps: {}
      sign: { scheme: hmac, keys: [{ secret: "a long secret" }], ttl: 5m }
      urls: { rtmp: "rtmp://{edge.host}{path}" }
      templates: [{ tags: [ssd], scheme: http, url: "{edge.url}/fast{path}{query}" }]
  other: { hostnames: [other.example.net] }
`);
const [edge] = inventory.edges;
const world = worldOf(inventory.edges);
const redirector = createRedirector(() => LONDON);
redirector.take(inventory, { ...world, generation: inventory.generation });
const client = clientOf("203.0.113.9");
const decision = redirector.explain(
  { hostname: "live.example.net", client, path: "/live/x" },
  { reject: () => {} },
  "http",
) as Decision;
const condition: Condition = {
  edgeId: "lon1",
  health: [{ family: 4, health: "up", sinceMs: 1 }],
  state: "active",
  stateOrigin: { kind: "file" },
  load: {},
};

it.each([
  ["Services", inventory.services.map((service) => serviceView(service, inventory))],
  ["Edge", edge && edgeView(edge, condition, world, ["live"])],
  ["Explanation", explainView(decision, client, [])],
] as const)("what operators are shown keeps its documented schema: %s", async (name, view) => {
  expect(await validity(name, view)).toBe("");
});

it("tells operators what services that share a hostname differ in, and no secret", () => {
  const views = inventory.services.map((service) => serviceView(service, inventory));
  expect(views[0]).toMatchObject({ paths: ["/live/*"], maxDistanceKm: 900 });
  expect(views[1]).not.toHaveProperty("paths");
  expect(views[1]).not.toHaveProperty("maxDistanceKm");
  expect(JSON.stringify(views)).not.toContain("a long secret");
});

/** The validator's message; empty when the view keeps the schema. */
async function validity(name: keyof typeof COMPONENTS, view: unknown): Promise<string> {
  const app = fastify({ ajv: { customOptions: { coerceTypes: false, removeAdditional: false } } });
  app.post("/", { schema: { body: COMPONENTS[name] } }, async () => "");
  const headers = { "content-type": "application/json" };
  const reply = await app.inject({ method: "POST", url: "/", headers, payload: JSON.stringify(view) });
  await app.close();
  return reply.body;
}
