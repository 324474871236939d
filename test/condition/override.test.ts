import { describe, expect, it } from "vitest";
import { effectiveState, isStanding, type Override } from "../../src/condition/override.ts";
import type { AdminState } from "../../src/model/edge.ts";

function override(state: AdminState, fileState: AdminState): Override {
  return { edgeId: "ams1", state, by: "eva", reason: "disk", atMs: 1, fileState };
}

describe("the state that holds", () => {
  it.each<[AdminState, AdminState, AdminState, "file" | "operator"]>([
    // file, operator (set while the file said the same), holds, by
    ["active", "drain", "drain", "operator"],
    ["active", "off", "off", "operator"],
    ["drain", "off", "off", "operator"],
    ["off", "drain", "off", "file"],
    ["drain", "drain", "drain", "operator"],
    ["drain", "active", "active", "operator"],
    ["off", "active", "active", "operator"],
  ])("file %s, operator %s: %s by the %s", (file, operator, holds, by) => {
    const { state, origin } = effectiveState(file, override(operator, file));
    expect([state, origin.kind]).toEqual([holds, by]);
  });

  it("is the file's alone without an operator's word", () => {
    expect(effectiveState("drain", undefined)).toEqual({ state: "drain", origin: { kind: "file" } });
  });

  it("shows who, when and why", () => {
    const { origin } = effectiveState("active", { ...override("drain", "active"), untilMs: 2 });
    expect(origin).toEqual({ kind: "operator", by: "eva", reason: "disk", atMs: 1, untilMs: 2 });
  });

  it("forgets an undrain when the file's word changes, but no drain", () => {
    expect(isStanding(override("active", "drain"), "drain")).toBe(true);
    expect(isStanding(override("active", "drain"), "off")).toBe(false);
    expect(isStanding(override("drain", "active"), "off")).toBe(true);
    expect(effectiveState("off", override("active", "drain")).state).toBe("off");
  });
});
