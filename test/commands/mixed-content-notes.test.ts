import { expect, it } from "vitest";
import { mixedContentNotes } from "../../src/commands/mixed-content-notes.ts";
import type { Inventory } from "../../src/model/inventory.ts";
import { inventoryOf } from "../config/support.ts";

const TEXT = `
listen: { http: ["127.0.0.1:8080"] }
zones: { example.org: { nameservers: [ns.example.net], contact: a@example.net } }
edges:
  old1: { location: { latitude: 52, longitude: 5 }, url: "http://old1.example.net" }
  new1: { location: { latitude: 52, longitude: 6 }, url: "https://new1.example.net" }
services:
  live: { hostnames: [live.example.org] }
  vod: { hostnames: [vod.example.org], edges: { ids: [new1] } }
  both:
    hostnames: [both.example.org]
    http: { templates: [{ scheme: https, url: "https://{edge.host}{path}{query}" }] }
  turned: { hostnames: [turned.example.org], http: { url: "http://{edge.host}{path}{query}" } }
`;

function withTls(inventory: Inventory): Inventory {
  return { ...inventory, listen: { ...inventory.listen, https: { addresses: [], certificates: [] } } };
}

it("are told of services whose viewers lose HTTPS by a redirect, and at which edges", async () => {
  const notes = mixedContentNotes(withTls(await inventoryOf(TEXT)));
  expect(notes.map(({ path, message }) => [path.join("."), /at (.+), which/.exec(message)?.[1]])).toEqual([
    ["services.live", "old1"],
    ["services.turned", "old1, new1"],
  ]);
});

it("are not told where nobody comes by HTTPS", async () => {
  expect(mixedContentNotes(await inventoryOf(TEXT))).toEqual([]);
});
