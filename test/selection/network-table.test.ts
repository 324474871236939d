import { describe, expect, it } from "vitest";
import type { Client } from "../../src/model/client.ts";
import { FIRST_NUMBER, NetworkTable, NUMBERS, WORD } from "../../src/selection/network-table.ts";

const EPOCH = 1;

describe("what is known of networks", () => {
  it("stays when the table grows, but for the few whose places others took", () => {
    const table = new NetworkTable();
    const count = 20_000;
    for (let i = 0; i < count; i++) {
      const row = table.claim(subnet(i), EPOCH, 24);
      table.words[row + WORD] = i;
      table.numbers.fill(i, row + FIRST_NUMBER, row + FIRST_NUMBER + NUMBERS);
    }
    let found = 0;
    for (let i = 0; i < count; i++) {
      const row = table.find(subnet(i), EPOCH);
      if (row < 0) continue;
      expect(table.words[row + WORD]).toBe(i);
      expect([...table.numbers.subarray(row + FIRST_NUMBER, row + FIRST_NUMBER + NUMBERS)]).toEqual(
        Array.from({ length: NUMBERS }, () => i),
      );
      found++;
    }
    expect(found).toBeGreaterThan(0.9 * count);
  });

  it("is not found in another epoch, nor by another length", () => {
    const table = new NetworkTable();
    const row = table.claim(subnet(7), EPOCH, 24);
    expect(table.find(subnet(7), EPOCH + 1)).toBe(-1);
    expect(table.find(subnet(7, 16), EPOCH)).toBe(-1);
    expect(table.find(subnet(7, 32), EPOCH)).toBe(-1);
    expect(table.find(subnet(7), EPOCH)).toBe(row);
  });

  it("is the same for all hosts, where no more than the network counts", () => {
    const table = new NetworkTable();
    const row = table.claim(subnet(7, 32, 1), EPOCH, 24);
    expect(table.find(subnet(7, 32, 2), EPOCH)).toBe(row);
    expect(table.find(subnet(7, 28, 16), EPOCH)).toBe(row);
    expect(table.claim(subnet(8, 32, 1), EPOCH, 25)).toBe(-1);
    expect(table.find(subnet(8, 32, 1), EPOCH)).toBe(-1);
  });

  it("is for the network alone, where more than that counts", () => {
    const table = new NetworkTable();
    const row = table.claim(subnet(7), EPOCH, 28);
    expect(table.find(subnet(7), EPOCH)).toBe(row);
    expect(table.find(subnet(7, 32, 1), EPOCH)).toBe(-1);
  });
});

function subnet(number: number, prefixLength = 24, host = 0): Client {
  const bytes = Uint8Array.of(20 + (number >>> 16), (number >>> 8) & 255, number & 255, host);
  return { address: { family: 4, bytes }, prefixLength, from: "client-subnet" };
}
