import { describe, expect, it } from "vitest";
import { grownHash, ROOT_HASH, wireName } from "../../src/dns/name.ts";
import { createNameTable } from "../../src/dns/name-table.ts";

describe("the table of names", () => {
  it("tells names apart that have the same hash", () => {
    const [one, other] = collision();
    const table = createNameTable([{ name: wireName(one) }]);
    expect(table.closest(wireName(one))).toBeDefined();
    expect(table.closest(wireName(other))).toBeUndefined();
    const both = createNameTable([{ name: wireName(one) }, { name: wireName(other) }]);
    expect(both.closest(wireName(other))?.name).toEqual(wireName(other));
    expect(both.closest(wireName(one))?.name).toEqual(wireName(one));
  });

  it("looks no deeper than its names are", () => {
    const table = createNameTable([{ name: wireName("a.test") }]);
    expect(table.closest(wireName(`${"x.".repeat(120)}a.test`))?.name).toEqual(wireName("a.test"));
    expect(table.closest(wireName(`${"x.".repeat(120)}b.test`))).toBeUndefined();
  });
});

/** Two labels of one hash; among a few hundred thousand there are some. */
function collision(): [string, string] {
  const seen = new Map<number, string>();
  for (let i = 0; i < 1_000_000; i++) {
    const label = (Math.imul(i, 0x9e3779b1) >>> 0).toString(36) + i.toString(36);
    const hash = grownHash(ROOT_HASH, wireName(label).octets, 0);
    const other = seen.get(hash);
    if (other !== undefined) return [other, label];
    seen.set(hash, label);
  }
  throw new Error("no two labels of one hash");
}
