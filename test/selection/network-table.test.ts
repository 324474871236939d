import { describe, expect, it } from "vitest";
import type { Client } from "../../src/model/client.ts";
import { NetworkTable } from "../../src/selection/network-table.ts";

const EPOCH = 1;

describe("what is kept for networks", () => {
  it("stays when the table grows, but for the few whose places others took", () => {
    const table = new NetworkTable<number>();
    const count = 20_000;
    for (let i = 0; i < count; i++) table.store(subnet(i), EPOCH, 24, i);
    let found = 0;
    for (let i = 0; i < count; i++) {
      const value = table.find(subnet(i), EPOCH);
      if (value === undefined) continue;
      expect(value).toBe(i);
      found++;
    }
    expect(found).toBeGreaterThan(0.9 * count);
  });

  it("is not found in another epoch, nor by another length", () => {
    const table = new NetworkTable<number>();
    table.store(subnet(7), EPOCH, 24, 7);
    expect(table.find(subnet(7), EPOCH + 1)).toBeUndefined();
    expect(table.find({ ...subnet(7), prefixLength: 16 }, EPOCH)).toBeUndefined();
    expect(table.find(subnet(7), EPOCH)).toBe(7);
  });
});

function subnet(number: number): Client {
  const bytes = Uint8Array.of(20 + (number >>> 16), (number >>> 8) & 255, number & 255, 0);
  return { address: { family: 4, bytes }, prefixLength: 24, from: "client-subnet" };
}
