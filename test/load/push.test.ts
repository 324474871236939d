import { describe, expect, it } from "vitest";
import { parseReport } from "../../src/load/push.ts";

const parse = (text: string) => parseReport(JSON.parse(text) as unknown);

describe("a pushed report", () => {
  it.each([
    "{}",
    '{"viewers":0}',
    '{"viewers":12,"bandwidth":4.5e8,"cpu":0.25,"memory":1,"streams":["live/a","live/b c+d"]}',
    '{"viewers":12,"capacity":{"viewers":700,"bandwidth":1e9}}',
  ])("is taken as it is: %s", (text) => {
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  it.each([
    ["null", /expected an object/],
    ["[]", /expected an object/],
    ['"viewers"', /expected an object/],
    ['{"viewers":"12"}', /viewers: expected a number, got "12"/],
    ['{"viewers":null}', /viewers: expected a number, got null/],
    ['{"viewers":-1}', /viewers: expected 0 or more/],
    ['{"viewers":1.5}', /viewers: expected a whole number/],
    ['{"viewers":1e10}', /viewers: expected at most/],
    ['{"bandwidth":1e309}', /bandwidth: expected a finite number/],
    ['{"cpu":85}', /cpu: expected at most 1, got 85/],
    ['{"memory":-0.1}', /memory: expected 0 or more/],
    ['{"streams":"live"}', /streams: expected a list/],
    ['{"streams":["a",1]}', /streams: name 1: expected a text/],
    ['{"streams":["a\\u0000"]}', /name 0: expected no control characters/],
    ['{"streams":["a\\u0085"]}', /name 0: expected no control characters/],
    ['{"streams":[""]}', /name 0: expected a name/],
    ['{"viewer":1}', /unknown key "viewer": expected any of viewers, bandwidth/],
    ['{"__proto__":{"viewers":1}}', /unknown key "__proto__"/],
    ['{"viewers":3,"cpu":2}', /cpu/],
    ['{"capacity":700}', /capacity: expected an object/],
    ['{"capacity":{"viewers":-1}}', /capacity: viewers: expected 0 or more/],
    ['{"capacity":{"cpu":1}}', /capacity: unknown key "cpu": expected any of viewers, bandwidth/],
  ])("is refused whole: %s", (text, problem) => {
    expect(parse(text)).toEqual({ problem: expect.stringMatching(problem) as string });
  });

  it("is refused with NaN or Infinity, however they came", () => {
    for (const viewers of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      expect(parseReport({ viewers })).toHaveProperty("problem");
  });

  it("names up to 10,000 streams of up to 512 characters", () => {
    const streams = Array.from({ length: 10_000 }, (_, i) => String(i).padEnd(512, "x"));
    expect(parseReport({ streams })).toEqual({ streams });
    expect(parseReport({ streams: [...streams, "one"] })).toHaveProperty("problem");
    expect(parseReport({ streams: ["x".repeat(513)] })).toHaveProperty("problem");
  });

  it("quotes no more of a wrong value than fits a message", () => {
    const { problem } = parseReport({ viewers: "\u001b[31m".repeat(1000) }) as { problem: string };
    expect(problem.length).toBeLessThan(300);
    expect(problem).not.toContain("\u001b");
  });
});
