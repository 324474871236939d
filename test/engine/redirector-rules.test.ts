import { describe, expect, it } from "vitest";
import { parsePrefix } from "../../src/base/address.ts";
import type { Client } from "../../src/model/client.ts";
import type { Inventory } from "../../src/model/inventory.ts";
import { createRedirector } from "../../src/engine/redirector.ts";
import { newStreamHeat } from "../../src/selection/heat.ts";
import { inventoryOf } from "../config/support.ts";
import { clientOf, LONDON, worldOf } from "../selection/fixture.ts";

const edges = ["ams1: 52.4, 4.9", "bru1: 50.9, 4.4", "par1: 48.9, 2.4", "sin1: 1.4, 103.8"].map((edge, i) => {
  const [, id, latitude, longitude] = /(\w+): ([\d.]+), ([\d.]+)/.exec(edge) ?? [];
  return `  ${id}: { location: { latitude: ${latitude}, longitude: ${longitude} }, addresses: [192.0.2.${i + 1}] }`;
});
const text = (service: string, more = "") => `
listen: { http: ["127.0.0.1:8080"] }
zones: { example.net: { nameservers: [ns.example.org], contact: a@example.net } }
${more}
edges:
${edges.join("\n")}
services: { live: { ${service} } }
`;

function redirectorOf(inventory: Inventory) {
  const redirector = createRedirector(() => LONDON);
  const heat = newStreamHeat();
  redirector.take(inventory, { ...worldOf(inventory.edges), heat });
  return redirector;
}

describe("a resolver without a place", () => {
  const firsts = async (client: (address: string) => Client) => {
    const inventory = await inventoryOf(
      text("hostnames: [live.example.net]", "dns: { placeless: [203.0.113.0/24] }"),
    );
    const redirector = redirectorOf(inventory);
    const named = new Set<string | undefined>();
    for (let i = 1; i < 40; i++) {
      const decision = redirector.decide(
        { hostname: "live.example.net", client: client(`203.0.113.${i}`) },
        "dns",
      );
      named.add(decision?.edges[0]?.edge.id);
    }
    return named;
  };

  it("is answered by lot, not by where it stands", async () => {
    expect((await firsts((address) => clientOf(address))).size).toBe(4);
  });

  it("that sends the client subnet is answered by that", async () => {
    const subnet = (address: string): Client => ({ ...clientOf(address), from: "client-subnet" });
    expect(await firsts(subnet)).toEqual(new Set(["bru1"]));
  });

  it("asks the redirector like anybody else", async () => {
    const inventory = await inventoryOf(
      text("hostnames: [live.example.net]", "dns: { placeless: [203.0.113.0/24] }"),
    );
    const question = { hostname: "live.example.net", client: clientOf("203.0.113.9"), path: "/x" };
    expect(redirectorOf(inventory).decide(question, "http")?.edges[0]?.edge.id).toBe("bru1");
  });

  it("takes a prefix as it stands in the configuration", async () => {
    const inventory = await inventoryOf(
      text("hostnames: [live.example.net]", 'dns: { placeless: ["2001:db8::/32"] }'),
    );
    expect(inventory.dns.placeless).toEqual([parsePrefix("2001:db8::/32")]);
  });
});

describe("a stream named by its hostname", () => {
  it("has the same edge at both doors, whatever the path", async () => {
    const service = 'hostnames: ["*.live.example.net"], affinity: stream';
    const redirector = redirectorOf(await inventoryOf(text(service)));
    const named = new Set<string | undefined>();
    for (let i = 0; i < 20; i++) {
      const hostname = `cam${i}.live.example.net`;
      const client = clientOf("198.51.100.7");
      const dns = redirector.decide({ hostname, client }, "dns")?.edges[0];
      const http = redirector.decide({ hostname, client, path: "/hls/720p/1.ts" }, "http")?.edges[0];
      expect(http?.edge.id).toBe(dns?.edge.id);
      expect(dns?.favour?.why).toMatch(/stream|warm/);
      named.add(dns?.edge.id);
    }
    expect(named.size).toBe(3);
  });

  it("is warm where it was sent, and explained so", async () => {
    const redirector = redirectorOf(
      await inventoryOf(text('hostnames: [live.example.net], affinity: stream, streamPath: "/{stream}/"')),
    );
    const question = { hostname: "live.example.net", client: clientOf("198.51.100.7"), path: "/cam1/a.m3u8" };
    expect(redirector.decide(question, "http")?.edges[0]?.favour?.why).toBe("stream");
    const again = redirector.explain({ ...question, path: "/cam1/720p/b.ts" }, { reject: () => {} });
    expect(again?.edges[0]?.favour).toEqual({ km: 500, why: "warm" });
  });
});
