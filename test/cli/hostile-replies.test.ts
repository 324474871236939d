import { describe, expect, it } from "vitest";
import type { EdgeView } from "../../src/model/views.ts";
import { AMS1, edgeward, EXPLAINED, NOW_MS, problem, rowOf, SIN1, startFakeOps } from "./fixture.ts";

describe("what the service sends", () => {
  const evil = "\u001b]0;owned\u0007\u009b31m\u202etxt.exe\nsin1  active";

  it("cannot act upon the terminal, in tables", async () => {
    const edge: EdgeView = {
      ...SIN1,
      stateOrigin: { kind: "operator", by: evil, reason: evil, atMs: NOW_MS },
    };
    const { url } = await startFakeOps({
      "GET /v1/edges": [200, [edge]],
      "GET /v1/edges/sin1": [200, edge],
      "GET /v1/explain": [200, { ...EXPLAINED, service: evil, viewer: { ...EXPLAINED.viewer, city: evil } }],
      "POST /v1/reload": [200, { changed: [evil] }],
      "PUT /v1/edges/sin1/state": [200, { persisted: true, condition: edge }],
    });
    for (const command of [
      ["edges"],
      ["edges", "sin1"],
      ["explain", "live.example.net", "203.0.113.7"],
      ["reload"],
      ["drain", "sin1"],
    ]) {
      const { code, out } = await edgeward([...command, "--server", url]);
      expect(code).toBe(0);
      expect(out).toContain("\\u001b]0;owned\\u0007\\u009b31m\\u202etxt.exe\\u000asin1");
      expect(out).toMatch(HARMLESS);
    }
  });

  it("cannot act upon the terminal as JSON, and reads back the same", async () => {
    const answer = { ...EXPLAINED, service: evil };
    const { url } = await startFakeOps({ "GET /v1/explain": [200, answer] });
    const { out } = await edgeward([
      "explain",
      "live.example.net",
      "203.0.113.7",
      "-o",
      "json",
      "--server",
      url,
    ]);
    expect(out).toMatch(HARMLESS);
    expect(JSON.parse(out)).toEqual(answer);
  });

  it("cannot act upon the terminal in problems, nor add lines of its own", async () => {
    const bad = { file: evil, line: 1, column: 1, path: evil, message: evil };
    const { url } = await startFakeOps({
      "GET /v1/edges": problem(400, "malformed-request", evil, { detail: evil }),
      "POST /v1/reload": problem(422, "invalid-configuration", "", { problems: [bad] }),
    });
    const edges = await edgeward(["edges", "--server", url]);
    expect(edges.err).toMatch(HARMLESS);
    expect(edges.err.split("\n")).toHaveLength(2);
    const reload = await edgeward(["reload", "--server", url]);
    expect(reload.err).toMatch(HARMLESS);
    expect(reload.err.split("\n")).toHaveLength(3);
  });

  it("may hold words that we never heard of", async () => {
    const odd = {
      ...EXPLAINED,
      viewer: { ...EXPLAINED.viewer, layer: "constructor" },
      rejected: [{ id: "nyc1", reason: "__proto__", distanceKm: null }],
      outcome: { kind: "shared" },
    };
    const health = [{ family: 4, health: "toString", sinceMs: NOW_MS }];
    const { url } = await startFakeOps({
      "GET /v1/explain": [200, odd],
      "GET /v1/edges": [200, [{ ...AMS1, state: "resting", health }]],
      "POST /v1/reload": [400, { type: "urn:edgeward:problem:constructor", title: "No" }],
    });
    const explained = await edgeward(["explain", "live.example.net", "203.0.113.7", "--server", url]);
    expect(rowOf(explained.out, "outcome")).toEqual(["outcome", "shared"]);
    expect(rowOf(explained.out, "nyc1")).toEqual(["nyc1", "__proto__", "-"]);
    expect(explained.out).toContain("(constructor)");
    const edges = await edgeward(["edges", "--server", url], { colour: true });
    expect(rowOf(withoutColour(edges.out), "ams1").slice(0, 3)).toEqual(["ams1", "resting", "toString 0s"]);
    expect((await edgeward(["reload", "--server", url])).err).toBe("edgeward: No\n");
  });

  it("is coloured by us only, and only where colour is wanted", async () => {
    const { url } = await startFakeOps({ "GET /v1/edges": [200, [AMS1, SIN1]] });
    const plain = await edgeward(["edges", "--server", url]);
    const coloured = await edgeward(["edges", "--server", url], { colour: true });
    expect(plain.out).toMatch(HARMLESS);
    expect(coloured.out).toContain("\u001b[31mdown 12s\u001b[39m");
    expect(withoutColour(coloured.out)).toBe(plain.out);
  });
});

/** Without the sequences that choose a colour: ESC [ number m. */
function withoutColour(text: string): string {
  return text.replace(/\p{Cc}\[\d+m/gu, "");
}

/** Nothing but line feeds may move the cursor. */
const HARMLESS = /^(?:\n|[^\p{Cc}\p{Cf}])*$/u;
