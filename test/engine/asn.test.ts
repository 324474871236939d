/** Rules by autonomous system, from a database on disk to the decision. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Geo, openGeo } from "../../src/geo/geo.ts";
import { createRedirector } from "../../src/engine/redirector.ts";
import { folderWith, inventoryOf } from "../config/support.ts";
import { writeMmdb } from "../geo/mmdb-writer.ts";
import { clientOf, worldOf } from "../selection/fixture.ts";

const CITY = { location: { latitude: 51.5, longitude: -0.1 }, country: { iso_code: "GB" } };
const log = { info: () => {}, warn: () => {}, error: () => {} };

describe("an ASN database", () => {
  let geo: Geo;
  beforeAll(async () => {
    const folder = await folderWith({});
    const [city, asn] = [join(folder, "city.mmdb"), join(folder, "asn.mmdb")];
    writeFileSync(city, writeMmdb({ type: "City", records: { "198.51.0.0/16": CITY } }));
    const records = {
      "198.51.100.0/25": { autonomous_system_number: 64500 },
      "198.51.100.128/25": { autonomous_system_number: 64501 },
    };
    writeFileSync(asn, writeMmdb({ type: "ASN", records }));
    geo = await openGeo({ files: { city: [city], asn: [asn] }, places: [], log });
  });
  afterAll(() => geo.stop());

  const decide = async (rules: string, ams1: string, address: string) => {
    const inventory = await inventoryOf(`
listen: { http: ["127.0.0.1:8080"] }
geoip: { asn: [asn.mmdb] }
zones: { example.net: { nameservers: [ns.example.org], contact: a@example.net } }
edges:
  lon1: { location: { latitude: 51.5, longitude: -0.1 }, addresses: [192.0.2.1] }
  ams1: { location: { latitude: 52.4, longitude: 4.9 }, addresses: [192.0.2.2]${ams1} }
services: { live: { hostnames: [live.example.net]${rules} } }
`);
    const redirector = createRedirector(geo.locate);
    redirector.take(inventory, worldOf(inventory.edges));
    const client = { ...clientOf(address), from: "client-subnet" as const };
    return redirector.decide({ hostname: "live.example.net", client }, "dns");
  };

  it("lets a service allow and deny by it, in a scope no wider than its record", async () => {
    const allow = ", allow: { asns: [64500] }";
    expect(await decide(allow, "", "198.51.100.1")).toMatchObject({
      outcome: { kind: "edges" },
      asn: 64500,
      scopePrefixLength: 25,
    });
    expect((await decide(allow, "", "198.51.100.200"))?.outcome).toMatchObject({ reason: "not-allowed" });
    const deny = ", deny: { asns: [AS64501] }";
    expect((await decide(deny, "", "198.51.100.200"))?.outcome).toMatchObject({ reason: "not-allowed" });
    expect((await decide(deny, "", "198.51.7.7"))?.outcome.kind, "who is in none").toBe("edges");
  });

  it("puts an edge first for the ISP it stands in", async () => {
    const preferred = ", preferredFor: { asns: [64501] }";
    expect((await decide("", preferred, "198.51.100.200"))?.edges[0]?.edge.id).toBe("ams1");
    expect((await decide("", preferred, "198.51.100.1"))?.edges[0]?.edge.id).toBe("lon1");
  });
});
