import { expect, it } from "vitest";
import { tellChange } from "../../src/condition/change.ts";

it("names the edge as every other line of the log does, and warns of what is grave", () => {
  const lines: unknown[] = [];
  const tell = (level: string) => (fields: object, message: string) =>
    void lines.push([level, fields, message]);
  const log = { info: tell("info"), warn: tell("warn"), error: tell("error") };
  const health = { kind: "health", edgeId: "ams1", family: 4 } as const;
  tellChange(log, { ...health, from: "up", to: "down", reason: "status", detail: "404" });
  tellChange(log, { ...health, from: "unknown", to: "up" });
  tellChange(log, { kind: "load", edgeId: "ams1", from: "room", to: "full", loadRatio: 1 });
  expect(lines).toEqual([
    [
      "warn",
      { edge: "ams1", family: 4, from: "up", to: "down", reason: "status", detail: "404" },
      "edge health changed",
    ],
    ["warn", { edge: "ams1", from: "room", to: "full", loadRatio: 1 }, "edge load changed"],
  ]);
});
