import { describe, expect, it } from "vitest";
import type { Counters } from "../../src/load/counters.ts";
import { jsonSource, readFields } from "../../src/load/json.ts";
import { reportFrom } from "../../src/load/source.ts";
import type { JsonLoad } from "../../src/model/edge.ts";

const DOCUMENT = {
  server: { connections: 42, scl: " 0.25 ", percent: 85, negative: -1, text: "many", none: null },
  interfaces: [{ out: 100 }, { out: "250.5" }, { down: true }],
  apps: { live: { streams: ["a", "b"] }, vod: { streams: ["b", "c"] } },
  byName: { "live/a": {}, "live/b": {} },
  empty: [],
};

const at = (path: (string | number)[], factor = 1) => ({ path, factor });
const read = (fields: JsonLoad["fields"]) => reportFrom(readFields(DOCUMENT, fields));

describe("fields of a JSON document", () => {
  it("are found by keys and indices, and scaled to the report's unit", () => {
    expect(
      read({
        viewers: at(["server", "connections"]),
        bandwidth: at(["interfaces", 0, "out"], 8),
        cpu: at(["server", "scl"]),
        memory: at(["server", "percent"], 0.01),
        streams: at(["apps", "live", "streams"]),
      }),
    ).toEqual({ viewers: 42, bandwidth: 800, cpu: 0.25, memory: 0.85, streams: ["a", "b"] });
  });

  it("are added up, or listed, over every member", () => {
    const report = read({ bandwidth: at(["interfaces", "*", "out"]), streams: at(["apps", "*", "streams"]) });
    expect(report).toEqual({ bandwidth: 350.5, streams: ["a", "b", "c"] });
  });

  it("names the keys of an object", () => {
    expect(read({ streams: at(["byName"]) })).toEqual({ streams: ["live/a", "live/b"] });
  });

  it("are nothing of an empty list, which is not the same as unknown", () => {
    expect(read({ viewers: at(["empty", "*", "count"]), streams: at(["empty"]) })).toEqual({
      viewers: 0,
      streams: [],
    });
    expect(read({ viewers: at(["missing", "*", "count"]), streams: at(["missing"]) })).toEqual({});
  });

  it.each([
    ["what is not there", at(["server", "nothing"]), /nothing at server\.nothing/],
    ["null", at(["server", "none"]), /nothing at server\.none/],
    ["what every object inherits", at(["server", "constructor", "length"]), /nothing at/],
    ["text", at(["server", "text"]), /expected a number, got a text/],
    ["a container", at(["server"]), /expected a number, got an object/],
    ["less than nothing", at(["server", "negative"]), /expected 0 or more/],
  ])("are unknown for %s", (_, field, problem) => {
    expect(readFields(DOCUMENT, { viewers: field })).toMatchObject([
      { field: "viewers", problem: expect.stringMatching(problem) as string },
    ]);
    expect(read({ viewers: field })).toEqual({});
  });

  it("take a share of more than the whole as the whole, and say so", () => {
    expect(readFields(DOCUMENT, { cpu: at(["server", "percent"]) })).toEqual([
      {
        field: "cpu",
        value: 1,
        from: "server.percent",
        problem: expect.stringContaining("factor 0.01") as string,
      },
    ]);
  });

  it("tell where each came from", () => {
    const [reading] = readFields(DOCUMENT, { bandwidth: at(["interfaces", 0, "out"], 8) });
    expect(reading).toEqual({ field: "bandwidth", value: 800, from: "interfaces[0].out × 8" });
  });
});

it("calls a page that is no JSON unreadable, whatever its status said", () => {
  const source: JsonLoad = {
    type: "json",
    url: "http://127.0.0.1/",
    staleAfterMs: 1,
    intervalMs: 1,
    timeoutMs: 1,
    fields: {},
  };
  const read = (body: string) => jsonSource.read(source, [{ body, receivedAtMs: 0 }], undefined);
  expect(read("<!DOCTYPE html>")).toEqual({ kind: "unreadable", problem: "expected JSON, got HTML or XML" });
  expect(read("{")).toMatchObject({ kind: "unreadable" });
});

it("makes a rate of what counts, from the second reading on", () => {
  const fields = { bandwidth: { path: ["out"], factor: 8, counter: true } } as const;
  const counting: JsonLoad = {
    type: "json",
    url: "http://127.0.0.1/",
    staleAfterMs: 1,
    intervalMs: 1,
    timeoutMs: 1,
    fields,
  };
  const read = (out: unknown, receivedAtMs: number, before?: Counters) =>
    jsonSource.read(counting, [{ body: JSON.stringify({ out }), receivedAtMs }], before);
  const first = read(1000, 0);
  expect(first).toMatchObject({
    again: true,
    fields: [{ problem: expect.stringMatching(/second/) as string }],
  });
  const second = read("6000", 5000, first.memory);
  expect(second).toMatchObject({ fields: [{ value: 8000, from: "out per second × 8" }] });
  expect(read(5, 10_000, second.memory)).toMatchObject({
    fields: [{ problem: expect.stringMatching(/began anew/) as string }],
  });
  expect(read("many", 10_000, second.memory)).toMatchObject({
    fields: [{ problem: "expected a number, got a text" }],
  });
});
