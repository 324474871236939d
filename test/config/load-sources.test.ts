import { describe, expect, it } from "vitest";
import type { LoadSource } from "../../src/model/edge.ts";
import { inventoryOf, loadText } from "./support.ts";

const edges = (load: string) =>
  `listen: { http: ["127.0.0.1:8080"] }\nedges: { ams1: { location: { latitude: 52, longitude: 5 }, addresses: [192.0.2.1], load: ${load} } }\n`;

async function sourceOf(load: string): Promise<LoadSource | undefined> {
  return (await inventoryOf(edges(load))).edges[0]?.load[0];
}

describe("the url of a load source", () => {
  it.each([
    ["mistserver", "http://192.0.2.1", "http://192.0.2.1:4242/", "passphrase: abc"],
    ["nimble", "http://192.0.2.1", "http://192.0.2.1:8082/"],
    ["wowza", "http://192.0.2.1", "http://192.0.2.1:8086/connectioncounts"],
    ["wowza", "http://192.0.2.1:8087", "http://192.0.2.1:8087/"],
    ["flashphoner", "http://192.0.2.1", "http://192.0.2.1:8081/"],
    ["nginx-rtmp", "http://192.0.2.1", "http://192.0.2.1/stat"],
    ["nginx-stub-status", "http://192.0.2.1:8080", "http://192.0.2.1:8080/stub_status"],
    ["nginx-vts", "http://192.0.2.1", "http://192.0.2.1/status/format/json"],
    ["srs", "http://192.0.2.1", "http://192.0.2.1:1985/"],
    ["ant-media", "http://192.0.2.1", "http://192.0.2.1:5080/"],
    ["ovenmediaengine", "http://192.0.2.1", "http://192.0.2.1:8081/"],
    ["varnish", "http://192.0.2.1", "http://192.0.2.1:9131/metrics"],
    ["haproxy", "http://192.0.2.1:8404", "http://192.0.2.1:8404/stats;csv"],
    ["apache", "http://192.0.2.1", "http://192.0.2.1/server-status?auto"],
    ["node-exporter", "http://192.0.2.1", "http://192.0.2.1:9100/metrics"],
    ["astats", "http://192.0.2.1", "http://192.0.2.1/_astats"],
  ])("of %s may leave out what is usual: %s", async (type, url, whole, more = "") => {
    const source = await sourceOf(`{ type: ${type}, url: "${url}"${more === "" ? "" : `, ${more}`} }`);
    expect(source).toMatchObject({
      type,
      url: whole,
      intervalMs: 5000,
      timeoutMs: 2000,
      staleAfterMs: 30_000,
    });
  });

  it.each([
    ["http://192.0.2.1/metrics", "http://192.0.2.1/metrics"],
    ["http://192.0.2.1/?x=1", "http://192.0.2.1/?x=1"],
    ["https://192.0.2.1", "https://192.0.2.1/metrics"],
    ["http://192.0.2.1:9200", "http://192.0.2.1:9200/metrics"],
    ["http://[2001:db8::1]", "http://[2001:db8::1]:9100/metrics"],
  ])("that says more is left as it is: %s", async (url, whole) => {
    expect(await sourceOf(`{ type: node-exporter, url: "${url}" }`)).toMatchObject({ url: whole });
  });

  it("is judged with the port that is usual", async () => {
    const text = edges("{ type: nimble, url: http://127.0.0.1 }").replace("8080", "8082");
    const result = await loadText(text);
    expect(result.kind === "problems" && result.problems[0]?.message).toMatch(
      /edgeward itself listens there/,
    );
  });
});

it("a load source that is read more often than the usual timeout has the interval for it", async () => {
  const source = await sourceOf("{ type: nimble, url: http://192.0.2.1, interval: 1s }");
  expect(source).toMatchObject({ intervalMs: 1000, timeoutMs: 1000 });
});

it("a load source keeps what its type knows, and nothing else", async () => {
  const texts = [
    '{ type: mistserver, url: "http://192.0.2.1", passphrase: a }',
    '{ type: ant-media, url: "http://192.0.2.1", token: a, username: b, password: c, application: LiveApp }',
    '{ type: node-exporter, url: "http://192.0.2.1", interface: eth0 }',
    '{ type: astats, url: "http://192.0.2.1", interface: eth0, application: plugin }',
    '{ type: json, url: "http://192.0.2.1", fields: { bandwidth: { path: out, factor: 8, counter: true } } }',
    '{ type: json, url: "http://192.0.2.1", fields: { bandwidth: { path: out, counter: false } } }',
  ];
  const own = new Set(["type", "url", "intervalMs", "timeoutMs", "staleAfterMs"]);
  const sources = await Promise.all(texts.map(sourceOf));
  expect(sources.map((source) => Object.entries(source ?? {}).filter(([key]) => !own.has(key)))).toEqual([
    [["passphrase", "a"]],
    [
      ["username", "b"],
      ["password", "c"],
      ["token", "a"],
      ["application", "LiveApp"],
    ],
    [["interface", "eth0"]],
    [
      ["interface", "eth0"],
      ["application", "plugin"],
    ],
    [["fields", { bandwidth: { path: ["out"], factor: 8, counter: true } }]],
    [["fields", { bandwidth: { path: ["out"], factor: 1 } }]],
  ]);
});
