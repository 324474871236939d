import { describe, expect, it } from "vitest";
import type { DoorName } from "../../src/model/decision.ts";
import { createRedirector } from "../../src/engine/redirector.ts";
import { inventoryOf } from "../config/support.ts";
import { clientOf, LONDON, worldOf } from "../selection/fixture.ts";

const text = (service = "") => `
listen: { http: ["127.0.0.1:8080"] }
zones: { example.net: { nameservers: [ns.example.org], contact: a@example.net } }
edges:
  lon1: { location: { latitude: 51.5, longitude: -0.1 }, url: "http://192.0.2.1" }
  ams1: { location: { latitude: 51.9, longitude: 1.3 }, addresses: [192.0.2.2] }
  par1: { location: { latitude: 48.9, longitude: 2.4 }, addresses: [192.0.2.3], url: "http://192.0.2.3" }
services: { live: { hostnames: [live.example.net], dns: { answers: 1 }, ${service} } }
`;

async function redirectorOf(service?: string) {
  const inventory = await inventoryOf(text(service));
  const redirector = createRedirector(() => LONDON);
  redirector.take(inventory, worldOf(inventory.edges));
  return redirector;
}

const question = (door: DoorName) => ({
  hostname: "live.example.net",
  client: clientOf("203.0.113.9"),
  ...(door === "dns" ? {} : { path: "/x" }),
});

async function chosenAt(door: DoorName, service?: string) {
  const decision = (await redirectorOf(service)).decide(question(door), door);
  return decision?.edges.map(({ edge }) => edge.id);
}

describe("a service of which some edges have no address, or no url", () => {
  it("has DNS name the nearest that has an address", async () => {
    expect(await chosenAt("dns")).toEqual(["ams1"]);
  });

  it.each(["http", "steering"] as const)("has %s name those that have a url", async (door) => {
    expect(await chosenAt(door)).toEqual(["lon1", "par1"]);
  });

  it("has HTTP name all where the template makes do with an address", async () => {
    expect(await chosenAt("http", 'http: { url: "http://{edge.host}:8080{path}" }')).toEqual([
      "lon1",
      "ams1",
      "par1",
    ]);
  });

  it("has DNS answer the fallback once those that it can name are out of service", async () => {
    const inventory = await inventoryOf(text("fallback: { addresses: [192.0.2.9] }"));
    const redirector = createRedirector(() => LONDON);
    redirector.take(inventory, worldOf(inventory.edges, { off: inventory.edges.slice(1) }));
    expect(redirector.decide(question("dns"), "dns")?.outcome.kind).toBe("fallback");
  });

  it.each([
    ["dns", ["lon1: no-address"]],
    ["http", ["ams1: no-url"]],
  ] as const)("is explained for %s with what the others lack", async (door, expected) => {
    const rejected: string[] = [];
    const trace = {
      reject: ({ id }: { id: string }, reason: string) => void rejected.push(`${id}: ${reason}`),
    };
    const decision = (await redirectorOf()).explain(question(door), trace, door);
    expect(rejected).toEqual(expected);
    expect(decision?.edges).toHaveLength(2);
  });
});
