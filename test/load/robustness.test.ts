import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { problemOf } from "../../src/load/fields.ts";
import { sourceTypeOf } from "../../src/load/registry.ts";
import type { PolledLoad } from "../../src/load/source.ts";
import { readAfter, sample, source } from "./reading.ts";

const at = "http://192.0.2.10";
const fields = { viewers: { path: ["viewers"], factor: 1 } };

/** Of every type, a source and the replies of one good reading. */
const TYPES: readonly (readonly [PolledLoad, ...string[]])[] = [
  [source("json", at, { fields }), "red5pro-server-statistics.json"],
  [source("mistserver", at, { passphrase: "secret" }), "mist-load-1.json"],
  [source("nimble", at), "nimble-server-status.json", "nimble-live-streams-status.json"],
  [source("wowza", `${at}:8086/connectioncounts`), "wowza-connectioncounts.xml"],
  [
    source("wowza", `${at}:8087`, { application: "live" }),
    "wowza-machine-current.json",
    "wowza-application-current.json",
  ],
  [source("flashphoner", at), "flashphoner-stat.txt"],
  [source("nginx-rtmp", at), "nginx-rtmp-stat.xml"],
  [source("nginx-stub-status", at), "nginx-stub-status.txt"],
  [source("nginx-vts", at), "nginx-vts-1.json"],
  [source("nginx-vts", at), "angie-status-1.json"],
  [
    source("nginx-vts", `${at}/api/9`),
    "nginx-plus-connections.json",
    "nginx-plus-http-server-zones-1.json",
    "nginx-plus-nginx.json",
  ],
  [source("srs", at), "srs-summaries-1.json", "srs-streams.json"],
  [
    source("ant-media", at, { application: "LiveApp" }),
    "ams-system-resources.json",
    "ams-broadcasts-list.json",
  ],
  [source("ovenmediaengine", at, { application: "app" }), "ome-stats-current-1.json", "ome-streams.json"],
  [source("varnish", at), "varnishstat-1.json"],
  [source("varnish", at), "varnish-exporter.txt"],
  [source("haproxy", at), "haproxy-stats-1.csv"],
  [source("haproxy", `${at}/metrics`), "haproxy-metrics.txt"],
  [source("apache", at), "apache-status-1.txt"],
  [source("node-exporter", at), "node-exporter-1.txt"],
  [source("astats", at), "astats-1.json"],
];

const cases = TYPES.map(([polled, ...names]) => ({
  polled,
  bodies: names.map(sample),
  name: names[0] ?? "",
}));

const BILLION_LAUGHS =
  '<?xml version="1.0"?><!DOCTYPE rtmp [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><rtmp><bw_out>&b;</bw_out></rtmp>';

const nonsense: readonly (readonly [string, string])[] = [
  ["nothing", ""],
  ["a page of HTML", "<!DOCTYPE html><html><head><title>It works!</title></head><body><br></body></html>"],
  ["other JSON", '{"hello":["world",{"viewers":"many"}]}'],
  ["a JSON null", "null"],
  ["deep JSON", "[".repeat(5000) + "]".repeat(5000)],
  ["maps in maps", '{"a":'.repeat(100_000) + "1" + "}".repeat(100_000)],
  ["octets", "\u0000\u0001\uFFFD\uFFFDP\u0003"],
  ["XML with entities", BILLION_LAUGHS],
  ["deep XML", "<a>".repeat(5000)],
  ["words", "Service temporarily not available, try: later = 5, or -----"],
];

describe.each(cases)("a reading of $polled.type ($name)", ({ polled, bodies }) => {
  it.each(nonsense)("knows nothing from %s, and says what it expected", (_, body) => {
    const { reading, report } = readAfter(polled, { bodies: bodies.map(() => body) });
    expect(report).toEqual({});
    const said =
      reading.kind === "unreadable" ? [reading.problem] : reading.fields.map(({ problem }) => problem);
    for (const problem of said) expect(problem).toMatch(/\w/);
    expect(said.length).toBeGreaterThan(0);
  });

  it("survives a reply that ends anywhere", () => {
    const [first = ""] = bodies;
    for (let length = 0; length < first.length; length += 7) {
      const { report } = readAfter(polled, { bodies: [first.slice(0, length), ...bodies.slice(1)] });
      expect(wrongIn(report)).toEqual([]);
    }
  });

  it("never reports what no report may carry, whatever is changed in a reply", () => {
    const values = fc.constantFrom(
      "-1",
      "1e309",
      "NaN",
      "+Inf",
      '"\\u0000"',
      "null",
      "{}",
      "[]",
      "9".repeat(400),
      "<",
      "",
    );
    const change = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), value: values });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), (changes) => {
        const mutated = bodies.map((body) =>
          changes.reduce((text, { at, value }) => replaced(text, at, value), body),
        );
        const { report } = readAfter(polled, { bodies }, { bodies: mutated, atMs: 5000 });
        expect(wrongIn(report)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

describe("a long reply is read through once, not once for each of its characters:", () => {
  const LONG = 1_000_000;
  const read = (type: "nginx-stub-status" | "apache" | "mistserver", body: string) =>
    readAfter(source(type, at, { passphrase: "secret" }), { bodies: [body] });

  it("streams of an application that has no name", () => {
    const streams = "<Stream><Name>a</Name><SessionsTotal>1</SessionsTotal></Stream>".repeat(60_000);
    const page = `<W><ConnectionsCurrent>1</ConnectionsCurrent><VHost><Application><ApplicationInstance>${streams}</ApplicationInstance></Application></VHost></W>`;
    const { report } = readAfter(source("wowza", `${at}:8086/connectioncounts`), { bodies: [page] });
    expect(report.viewers).toBe(60_000);
  });

  it("frontends and interfaces", () => {
    const lines = (line: (name: string) => string) =>
      Array.from({ length: 80_000 }, (_, i) => line(`n${i}`)).join("");
    const frontends = lines(
      (name) =>
        `haproxy_frontend_current_sessions{proxy="${name}"} 1\nhaproxy_frontend_limit_sessions{proxy="${name}"} 2\n`,
    );
    const devices = lines(
      (device) =>
        `node_network_transmit_bytes_total{device="${device}"} 1\nnode_network_speed_bytes{device="${device}"} 2\n`,
    );
    const bodies = [`${frontends}haproxy_process_max_connections 200000\n`];
    expect(readAfter(source("haproxy", `${at}/metrics`), { bodies }).report).toEqual({
      viewers: 80_000,
      capacity: { viewers: 160_000 },
    });
    const machine = `node_memory_MemTotal_bytes 4\nnode_memory_MemAvailable_bytes 1\n${devices}`;
    expect(readAfter(source("node-exporter", at), { bodies: [machine] }).report).toEqual({
      memory: 0.75,
      capacity: { bandwidth: 80_000 * 16 },
    });
  });

  it("elements without end", () => {
    const page = `<rtmp>${"<a/>".repeat(600_000)}</rtmp>`;
    const { reading } = readAfter(source("nginx-rtmp", at), { bodies: [page] });
    expect(reading).toMatchObject({ kind: "unreadable", problem: "its XML has too many elements" });
  });

  it("digits that end in something else", () => {
    const curr = `{"curr":["${"1".repeat(LONG)}x"]}`;
    expect(read("mistserver", curr).reading.kind).toBe("unreadable");
  });

  it("empty lines in stub_status", () => {
    expect(read("nginx-stub-status", `Active connections: 7 ${"\n".repeat(LONG)}`).report).toEqual({
      viewers: 7,
    });
  });

  it("spaces in mod_status", () => {
    const status = `ServerMPM:${" ".repeat(LONG)}x\u2028\nBusyWorkers: 6\nIdleWorkers: 9`;
    expect(read("apache", status).report).toEqual({ viewers: 5 });
  });
});

it("every type has a case here", () => {
  const types = [
    "mistserver",
    "nimble",
    "wowza",
    "flashphoner",
    "nginx-rtmp",
    "nginx-stub-status",
    "nginx-vts",
  ];
  types.push(
    "srs",
    "ant-media",
    "ovenmediaengine",
    "varnish",
    "haproxy",
    "apache",
    "node-exporter",
    "astats",
    "json",
  );
  expect(new Set(cases.map(({ polled }) => polled.type))).toEqual(new Set(types));
  for (const { polled } of cases) expect(sourceTypeOf(polled)).toBeDefined();
});

/** One of the numbers of a text, at about a place in it, replaced. */
function replaced(text: string, place: number, value: string): string {
  const numbers = [...text.matchAll(/-?\d+(\.\d+)?/g)];
  const match = numbers[Math.floor(place * numbers.length)];
  return match === undefined
    ? text
    : text.slice(0, match.index) + value + text.slice(match.index + match[0].length);
}

function wrongIn(report: object): string[] {
  return Object.entries(report).flatMap(([field, value]) => {
    if (field === "capacity") return Object.values(value as object).every((v) => v > 0) ? [] : ["capacity"];
    return problemOf(field as Parameters<typeof problemOf>[0], value) ?? [];
  });
}
