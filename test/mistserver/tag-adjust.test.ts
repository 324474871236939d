import { describe, expect, it } from "vitest";
import type { LoadReport } from "../../src/model/condition.ts";
import type { Server } from "../../src/mistserver/reply.ts";
import { readTagAdjust, tagBias } from "../../src/mistserver/tag-adjust.ts";
import { plainEdge } from "../inventory.ts";

describe("tag_adjust", () => {
  it.each([
    ["points by rule", ['{"eu":100,"-ssd,nvme":-50}'], { eu: 100, "-ssd,nvme": -50 }],
    [
      "whole points, as text too",
      ['{"a":1.9,"b":"-2.9","c":"x","d":true,"e":null}'],
      { a: 1, b: -2, c: 0, d: 0, e: 0 },
    ],
    ["what 32 bits hold", ['{"a":1e300,"b":-1e300}'], { a: 2147483647, b: -2147483647 }],
    ["the header's where both have a rule", ['{"a":1,"b":1}', '{"a":2}'], { a: 2, b: 1 }],
    ["nothing", [undefined, ""], {}],
    ["nothing where it is no object", ["{", "5", "null", '["a"]', '"a"'], {}],
    ["any name", ['{"__proto__":3}'], JSON.parse('{"__proto__":3}')],
  ])("means %s", (_what, texts, rules) => {
    expect([...readTagAdjust(texts)]).toEqual(Object.entries(rules));
  });
});

describe("points", () => {
  const of = (tags: readonly string[], load: LoadReport = {}, told: readonly string[] = []): Server => ({
    edge: plainEdge("edge", { tags }),
    condition: { edgeId: "edge", health: [], state: "active", stateOrigin: { kind: "file" }, load },
    details: { outputs: {}, streams: [], tags: told },
  });
  const km = (server: Server, rules: object, distanceKm = 1000): number =>
    tagBias(readTagAdjust([JSON.stringify(rules)]), () => [server])({
      edge: server.edge,
      distanceKm,
      priceKm: 0,
      loadRatio: Number.NaN,
      up: 1,
    });
  const points = (server: Server, rules: object): number => Math.round((0 - km(server, rules)) / 20.015);

  it.each([
    ["with the tag", ["eu"], { eu: 100 }, 100],
    ["without it", ["us"], { eu: 100 }, 0],
    ["with any of several tags", ["b"], { "a,b,c": -7 }, -7],
    ["with none of several", ["d"], { "-a,b,c": -7 }, -7],
    ["with one that must not be", ["b", "d"], { "-a,b,c": -7 }, 0],
    ["by several rules", ["a", "b"], { a: 5, b: 6, "-c": 7 }, 18],
    ["by a rule without a name", [], { "": 5 }, 0],
    ["with a tag in other letters", ["EU"], { eu: 5 }, 0],
  ])("go to a server %s", (_which, tags, rules, expected) => {
    expect(points(of(tags), rules)).toBe(expected);
    expect(points(of([], {}, tags), rules), "if MistServer tells the tags").toBe(expected);
  });

  it.each([
    ["idle, where the viewer is", {}, 0, 3000],
    ["idle, for a viewer whom nobody can locate", {}, Number.NaN, 2000],
    ["idle, on the other side of the earth", {}, 20_015, 2000],
    ["busy", { cpu: 0.5, memory: 0.5, bandwidth: 134_217_728 * 4 }, 0, 2000],
  ])("rule a server out that is %s when they take all it has", (_which, load, distanceKm, has) => {
    const server = of(["a"], load);
    expect(km(server, { a: -has }, distanceKm)).toBe(Number.POSITIVE_INFINITY);
    expect(km(server, { a: 1 - has }, distanceKm)).toBeLessThan(Number.POSITIVE_INFINITY);
  });
});
