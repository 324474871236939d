import { describe, expect, it } from "vitest";
import type { Bias, Choice } from "../../src/model/decision.ts";
import type { Rank } from "../../src/model/service.ts";
import { applyBias } from "../../src/selection/bias.ts";
import { choiceOf, decisionOf, edgeOf, serviceOf } from "../http/fixture.ts";

const at = (id: string, distanceKm: number, more: Partial<Choice> = {}): Choice => ({
  ...choiceOf(edgeOf(id), distanceKm),
  ...more,
});
const byId =
  (km: { readonly [id: string]: number }): Bias =>
  ({ edge }) =>
    km[edge.id] ?? 0;
const chosen = (
  edges: readonly Choice[],
  km: { readonly [id: string]: number },
  rank: Rank = "nearest",
): string =>
  applyBias({ ...decisionOf([]), service: serviceOf({ rank }), edges }, byId(km))
    .edges.map(({ edge }) => edge.id)
    .join(" ");

describe("a bias", () => {
  it("is weighed against distance, price, corrections and favours", () => {
    const edges = [at("a", 100), at("b", 600), at("c", 700)];
    expect(chosen(edges, {})).toBe("a b c");
    expect(chosen(edges, { c: -90 })).toBe("a b c");
    expect(chosen(edges, { c: -110 })).toBe("a c b");
    expect(chosen(edges, { a: 510, c: -110 })).toBe("c b a");
    const dear = [at("a", 100, { priceKm: 300, correctionKm: 100 }), at("b", 600)];
    expect([chosen(dear, { b: -90 }), chosen(dear, { b: -110 })]).toEqual(["a b", "b a"]);
    const favoured = [at("a", 600, { favour: { km: 500, why: "warm" } }), at("b", 200)];
    expect([chosen(favoured, { b: -90 }), chosen(favoured, { b: -110 })]).toEqual(["a b", "b a"]);
  });

  it("leaves those in order whom a lot has ordered", () => {
    const edges = [at("a", 100.8), at("b", 100.1), at("c", 100.5), at("d", 101)];
    expect(chosen(edges, { a: 5, b: 5, c: 5, d: 5 })).toBe("a b c d");
    expect(chosen(edges, { d: -0.5 })).toBe("d a b c");
  });

  it("comes first where the order is not by distance, or nobody knows it", () => {
    const far = [at("a", 9000), at("b", 100), at("c", 500)];
    expect(chosen(far, { b: -1, c: -1 }, "failover")).toBe("b c a");
    const nowhere = [at("a", Number.NaN), at("b", Number.NaN)];
    expect([chosen(nowhere, {}), chosen(nowhere, { b: -1 })]).toEqual(["a b", "b a"]);
  });

  it("can rule edges out, and all of them", () => {
    const edges = [at("a", 100), at("b", 600)];
    expect(chosen(edges, { a: Number.POSITIVE_INFINITY })).toBe("b");
    const decision = { ...decisionOf([]), edges };
    expect(applyBias(decision, () => Number.POSITIVE_INFINITY)).toMatchObject({
      edges: [],
      outcome: { kind: "refused", reason: "not-allowed" },
    });
    const none = decisionOf([], { outcome: { kind: "refused", reason: "down" } });
    expect(applyBias(none, () => 0).outcome).toEqual({ kind: "refused", reason: "down" });
  });
});
