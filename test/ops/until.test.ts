import { describe, expect, it } from "vitest";
import { parseUntil } from "../../src/ops/until.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");

describe("parseUntil", () => {
  it.each([
    ["500ms", NOW + 500],
    ["30s", NOW + 30_000],
    ["10m", NOW + 600_000],
    ["2h", NOW + 7_200_000],
    ["1h30m", NOW + 5_400_000],
    ["7d", NOW + 604_800_000],
    ["2026-03-01T12:00:01Z", NOW + 1000],
    ["2026-03-01T13:00:00.5+00:30", NOW + 1_800_500],
    ["2026-03-01t12:00:01z", NOW + 1000],
    ["2028-02-29T00:00:00Z", Date.parse("2028-02-29T00:00:00Z")],
  ])("%s lies ahead", (text, atMs) => {
    expect(parseUntil(text, NOW)).toEqual({ kind: "until", atMs });
  });

  it.each([
    ["2026-03-01T11:59:59Z", "passed"],
    ["2026-03-01T12:00:00Z", "passed"],
    ["0s", "passed"],
    ["2036-12-01T00:00:00Z", "ten years"],
    ["999999999h", "ten years"],
    ["", "neither"],
    ["tomorrow", "neither"],
    ["2", "neither"],
    ["-2h", "neither"],
    ["2026-03-02", "neither"],
    ["2026-03-02T00:00:00", "neither"],
    ["2026-02-30T00:00:00Z", "neither"],
    ["2027-13-01T00:00:00Z", "neither"],
    ["2027-01-01T25:00:00Z", "neither"],
  ])("%j does not: %s", (text, why) => {
    expect(parseUntil(text, NOW)).toEqual({ kind: "wrong", detail: expect.stringContaining(why) });
  });
});
