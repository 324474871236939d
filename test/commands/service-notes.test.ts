import { expect, it } from "vitest";
import { serviceNotes } from "../../src/commands/service-notes.ts";
import { inventoryOf } from "../config/support.ts";

const HEAD = `
listen: { dns: ["127.0.0.1:8053"], http: ["127.0.0.1:8080"] }
zones: { example.net: { nameservers: [ns.example.org], contact: a@example.net } }
`;

async function noted(text: string): Promise<string[]> {
  return serviceNotes(await inventoryOf(HEAD + text)).map(
    ({ path, message }) => `${path.join(".")}: ${message}`,
  );
}

it("is noted what edges and services rarely mean", async () => {
  expect(
    await noted(`
trustedProxies: [192.0.2.0/24, 0.0.0.0/0, "::/0"]
edges:
  ams1: { location: { latitude: 52, longitude: 5 }, addresses: [192.0.2.1], url: "http://192.0.2.1:8080" }
  ams2: { location: { latitude: 52, longitude: 5 }, addresses: [192.0.2.1], url: "http://192.0.2.1:8080" }
  sea1: { location: { latitude: 0, longitude: 0 }, addresses: [192.0.2.3] }
  url1: { location: { latitude: 0, longitude: 5 }, url: "http://192.0.2.4" }
services:
  live: { hostnames: [live.example.net], edges: { ids: [ams1, sea1, url1] } }
  drawn: { hostnames: [drawn.example.net], edges: { ids: [ams1] }, rank: weighted, affinity: viewer }
`),
  ).toEqual([
    "trustedProxies.1: believes everybody: whoever asks says where he is, and passes allow and deny",
    "trustedProxies.2: believes everybody: whoever asks says where he is, and passes allow and deny",
    "edges.ams2: no service has this edge",
    "edges.ams2.addresses: 192.0.2.1 is that of ams1 too",
    "edges.ams2.url: http://192.0.2.1:8080 is that of ams1 too",
    "edges.sea1.location: 0, 0 is in the sea off Africa; write where the edge stands",
    "services.live: DNS sends nobody to url1, for want of addresses",
    "services.live: HTTP sends nobody to sea1, for want of a url",
    "services.drawn.affinity: has no effect with rank: weighted; it counts for rank: nearest alone",
  ]);
});

it("is noted nothing where all edges lack the same, or a door is not there, and long lists are cut", async () => {
  const edges = Array.from(
    { length: 7 },
    (_, i) => `  e${i}: { location: { latitude: 1, longitude: 2 }, url: "http://192.0.2.${i}" }`,
  ).join("\n");
  const services = "services: { live: { hostnames: [live.example.net], affinity: stream } }";
  expect(await noted(`edges:\n${edges}\n${services}`)).toEqual([]);
  const one = "  x: { location: { latitude: 1, longitude: 2 }, addresses: [192.0.2.9] }";
  expect((await noted(`edges:\n${edges}\n${one}\n${services}`))[0]).toBe(
    "services.live: DNS sends nobody to e0, e1, e2, e3, e4 and 2 more, for want of addresses",
  );
});

it("is noted templates that lose the path, and fallbacks that a door cannot name", async () => {
  expect(
    await noted(`
edges:
  ams1: { location: { latitude: 52, longitude: 5 }, addresses: [192.0.2.1], url: "http://192.0.2.1" }
services:
  live:
    hostnames: [live.example.net]
    http: { url: "http://$host$request_uri", templates: [{ scheme: http, url: "{edge.url}{path}" }, { scheme: https, url: "{edge.url}" }] }
    fallback: { url: "https://origin.example.org" }
    whenDown: fallback
  vod:
    hostnames: [vod.example.net]
    fallback: { addresses: [192.0.2.9] }
    whenDown: fallback
`),
  ).toEqual([
    "services.live.http.url: sends everybody to one address: it has no {path}",
    "services.live.http.templates.1.url: sends everybody to one address: it has no {path}",
    "services.live.fallback: has no addresses, so that DNS names nobody when all edges are down",
    "services.vod.fallback: has no url, so that HTTP redirects to nobody when all edges are down",
  ]);
});

it("is noted load that is unknown between two readings", async () => {
  const load = (timing: string) => `load: { type: apache, url: "http://192.0.2.1/", ${timing} }`;
  const edge = (id: number, timing: string) =>
    `  e${id}: { location: { latitude: 1, longitude: 2 }, url: "http://192.0.2.${id}", ${load(timing)} }`;
  expect(
    await noted(
      [
        "edges:",
        edge(1, "interval: 30s"),
        edge(2, "interval: 30s, staleAfter: 33500ms"),
        edge(3, "interval: 5s, staleAfter: 5s, timeout: 500ms"),
        "services: { live: { hostnames: [live.example.net] } }\n",
      ].join("\n"),
    ),
  ).toEqual([
    "edges.e1.load: apache: a reading that comes a little late is unknown until it is there; give staleAfter 62s or more",
    "edges.e3.load: apache: a reading that comes a little late is unknown until it is there; give staleAfter 10500ms or more",
  ]);
});

it("is noted a secret that looks like a variable, and is not told itself", async () => {
  const edge = (id: string, load: string): string =>
    `  ${id}: { location: { latitude: 1, longitude: 2 }, url: "http://192.0.2.1/${id}", load: { ${load} } }`;
  const text = [
    "edges:",
    edge("shell", 'type: nimble, url: "http://192.0.2.1:8082", token: "$NIMBLE_TOKEN"'),
    edge("list", 'type: nginx-rtmp, url: "http://192.0.2.1/stat", username: stat, password: "$1"'),
    edge("plain", 'type: nimble, url: "http://192.0.2.1:8082", token: "a$NIMBLE_TOKEN"'),
    "services: { live: { hostnames: [live.example.net] } }",
  ];
  const message = "has a secret that is a $ and a name, and stays so; variables are written ${NAME}";
  expect(await noted(text.join("\n"))).toEqual([
    `edges.shell.load: ${message}`,
    `edges.list.load: ${message}`,
  ]);
});
