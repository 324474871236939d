import fc from "fast-check";
import { expect, it } from "vitest";
import { Kept } from "../../src/selection/kept.ts";

it("who is equally good is ordered by lot, and by score where lots are equal, however many there are", () => {
  const lots = fc.array(fc.constantFrom(0.1, 0.2, 0.5, 3, Number.POSITIVE_INFINITY), {
    minLength: 2,
    maxLength: 400,
  });
  const beside = fc.array(fc.integer({ min: 200, max: 300 }), { maxLength: 50 });
  fc.assert(
    fc.property(lots, beside, (lots, beside) => {
      const kept = new Kept(lots.length + beside.length);
      kept.begin(lots.length + beside.length, 0);
      const scores = [...lots.map((_, i) => i / 1000), ...beside.toSorted((a, b) => a - b)];
      for (const [edge, score] of scores.entries()) kept.add(edge, 10 * score, score, 0);
      kept.spread(1, (edge) => lots[edge] ?? 0);
      const group = [...lots.keys()].toSorted((a, b) => {
        const [one, other] = [lots[a] as number, lots[b] as number];
        return one === other ? a - b : one - other;
      });
      expect([...kept.edges.subarray(0, lots.length)]).toEqual(group);
      const columns = [...kept.edges].map((edge, i) => [kept.scores[i], kept.km[i], kept.lots[i], edge]);
      expect(columns.slice(0, lots.length)).toEqual(
        group.map((edge) => [scores[edge], 10 * (scores[edge] as number), lots[edge], edge]),
      );
    }),
  );
});
