import fc from "fast-check";
import { expect, it } from "vitest";
import { newTripleTable, valueAt } from "../../src/base/triple-table.ts";

const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const key = fc.tuple(int, int, fc.integer({ min: -1, max: 40 }));

it("finds what is in it, and nothing else", () => {
  const keys = fc.uniqueArray(key, { maxLength: 300, selector: String });
  fc.assert(
    fc.property(keys, fc.array(key, { maxLength: 50 }), (keys, others) => {
      const entries = keys.map((key, i) => ({ key, value: i + 1 }));
      const table = newTripleTable(entries);
      const known = new Map(entries.map(({ key, value }) => [String(key), value]));
      for (const key of [...keys, ...others])
        expect(valueAt(table, ...key)).toBe(known.get(String(key)) ?? 0);
    }),
  );
});
