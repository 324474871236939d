import { describe, expect, it } from "vitest";
import { inventoryOf } from "./support.ts";

const head = `
listen: { http: ["127.0.0.1:8080"] }
zones: { example.net: { nameservers: [ns.example.org], contact: a@example.net } }
`;
const place = "location: { latitude: 1, longitude: 2 }, addresses: [192.0.2.1]";

async function serviceOf(keys: string) {
  const text = `${head}edges: { ams1: { ${place} } }\nservices: { live: { hostnames: [live.example.net]${keys} } }`;
  const [service] = (await inventoryOf(text)).services;
  if (service === undefined) throw new Error("no service");
  return service;
}

describe("rules of the choice", () => {
  it("have defaults", async () => {
    const service = await serviceOf("");
    expect(service.panic).toEqual({ threshold: 0.5, holdMs: 30_000 });
    expect(service.dns.answersWithin).toEqual({ km: 500, share: 0.2 });
    expect(service.affinityWithin).toBeUndefined();
    expect((await serviceOf(", affinity: stream")).affinityWithin).toEqual({ km: 500, share: 0.2 });
    expect((await serviceOf(", affinity: viewer")).affinityWithin).toEqual({ km: 200, share: 0.1 });
  });

  it("are taken as written, shares as 0.3 or 30%", async () => {
    const service = await serviceOf(
      ', panicThreshold: 70%, panicHold: 2m, affinity: stream, affinityWithin: { share: 30% }, streamPath: "/l/{stream}/", dns: { answersWithin: { km: 0, share: 0.5 } }',
    );
    expect(service).toMatchObject({
      panic: { threshold: 0.7, holdMs: 120_000 },
      affinityWithin: { km: 500, share: 0.3 },
      streamPath: "/l/{stream}/",
      dns: { answersWithin: { km: 0, share: 0.5 } },
    });
    const viewer = await serviceOf(", affinity: viewer, affinityWithin: { share: 5% }");
    expect(viewer.affinityWithin).toEqual({ km: 200, share: 0.05 });
  });

  it("prefer an edge for an ISP, a network, a country", async () => {
    const { edges } = await inventoryOf(
      `${head}geoip: { asn: [asn.mmdb] }\nedges: { ams1: { ${place}, preferredFor: { asns: [AS64500], networks: [198.51.100.0/24], countries: [LU] } } }`,
    );
    expect(edges[0]?.preferredFor).toMatchObject({
      asns: [64500],
      countries: ["LU"],
      networks: [{ length: 24 }],
    });
  });

  it("know resolvers without a place, and a canary", async () => {
    const inventory = await inventoryOf(
      `${head}edges: { ams1: { ${place} } }\ndns: { placeless: [192.0.2.0/24] }\nprobing: { canary: { addresses: [192.0.2.9] } }`,
    );
    expect(inventory.dns.placeless).toMatchObject([{ length: 24 }]);
    expect(inventory.canary).toMatchObject({ port: 53, intervalMs: 2000, timeoutMs: 1000 });
  });

  it("give a canary that is asked more often than the usual timeout the interval for it", async () => {
    const inventory = await inventoryOf(
      `${head}edges: { ams1: { ${place} } }\nprobing: { canary: { addresses: [192.0.2.9], interval: 500ms } }`,
    );
    expect(inventory.canary).toMatchObject({ intervalMs: 500, timeoutMs: 500 });
  });
});
