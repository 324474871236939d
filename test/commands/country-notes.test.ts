import { expect, it } from "vitest";
import { countryNotes } from "../../src/commands/country-notes.ts";
import { inventoryOf } from "../config/support.ts";

it("is noted a country in a rule that no viewer is in, unless the operator's places say so", async () => {
  const inventory = await inventoryOf(`
listen: { dns: ["127.0.0.1:8053"], http: ["127.0.0.1:8080"] }
zones: { example.net: { nameservers: [ns.example.org], contact: a@example.net } }
places: { "192.0.2.0/24": { latitude: 1, longitude: 2, country: XX } }
edges:
  ams1:
    location: { latitude: 52, longitude: 5 }
    addresses: [192.0.2.1]
    preferredFor: { countries: [NL, NX] }
services:
  live: { hostnames: [live.example.net], allow: { countries: [NL, XX, XK, DN] } }
  vod: { hostnames: [vod.example.net], deny: { countries: [SP] } }
`);
  expect(countryNotes(inventory).map(({ path, message }) => `${path.join(".")}: ${message}`)).toEqual([
    "edges.ams1.preferredFor.countries.1: NX is no country's code; nobody is found there",
    "services.live.allow.countries.3: DN is no country's code; nobody is found there",
    "services.vod.deny.countries.0: SP is no country's code; nobody is found there",
  ]);
});
