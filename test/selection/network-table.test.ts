import { describe, expect, it } from "vitest";
import type { Client } from "../../src/model/client.ts";
import { NetworkTable } from "../../src/selection/network-table.ts";
import { FIRST_NUMBER, NUMBERS, STAMP, WORD } from "../../src/selection/rows.ts";

const OWNER = 1 << 16;
const STATE = OWNER + 1;
const OTHER_OWNER = 2 * OWNER + 1;

describe("what is known of networks", () => {
  it("stays when the table grows, but for the few whose places others took", () => {
    const table = new NetworkTable();
    const count = 20_000;
    for (let i = 0; i < count; i++) {
      const row = table.claim(subnet(i), STATE, 24);
      table.words[row + WORD] = i;
      table.numbers.fill(i, row + FIRST_NUMBER, row + FIRST_NUMBER + NUMBERS);
    }
    let found = 0;
    for (let i = 0; i < count; i++) {
      const row = table.find(subnet(i), STATE);
      if (row < 0) continue;
      expect(table.words[row + WORD]).toBe(i);
      expect([...table.numbers.subarray(row + FIRST_NUMBER, row + FIRST_NUMBER + NUMBERS)]).toEqual(
        Array.from({ length: NUMBERS }, () => i),
      );
      found++;
    }
    expect(found).toBeGreaterThan(0.9 * count);
  });

  it("is not found by another owner, nor by another length", () => {
    const table = new NetworkTable();
    const row = table.claim(subnet(7), STATE, 24);
    expect(table.find(subnet(7), OTHER_OWNER)).toBe(-1);
    expect(table.find(subnet(7, 16), STATE)).toBe(-1);
    expect(table.find(subnet(7, 32), STATE)).toBe(-1);
    expect(table.find(subnet(7), STATE)).toBe(row);
  });

  it("is still its owner's in another state, and its row is taken again", () => {
    const table = new NetworkTable();
    const row = table.claim(subnet(7), STATE, 24, 19);
    expect(table.find(subnet(7), STATE + 1)).toBe(row);
    expect(table.words[row + STAMP]).toBe(STATE);
    expect(table.asideAt(row)).toBe(19);
    expect(table.claim(subnet(7), STATE + 1, 24, 20)).toBe(row);
    expect(table.words[row + STAMP]).toBe(STATE + 1);
    expect(table.asideAt(row)).toBe(20);
  });

  it("is the same for all hosts, where no more than the network counts", () => {
    const table = new NetworkTable();
    const row = table.claim(subnet(7, 32, 1), STATE, 24);
    expect(table.find(subnet(7, 32, 2), STATE)).toBe(row);
    expect(table.find(subnet(7, 28, 16), STATE)).toBe(row);
    expect(table.claim(subnet(8, 32, 1), STATE, 25)).toBe(-1);
    expect(table.find(subnet(8, 32, 1), STATE)).toBe(-1);
  });

  it("is for the network alone, where more than that counts", () => {
    const table = new NetworkTable();
    const row = table.claim(subnet(7), STATE, 28);
    expect(table.find(subnet(7), STATE)).toBe(row);
    expect(table.find(subnet(7, 32, 1), STATE)).toBe(-1);
  });
});

function subnet(number: number, prefixLength = 24, host = 0): Client {
  const bytes = Uint8Array.of(20 + (number >>> 16), (number >>> 8) & 255, number & 255, host);
  return { address: { family: 4, bytes }, prefixLength, from: "client-subnet" };
}
