import { describe, expect, it } from "vitest";
import type { PacketRoom } from "../../src/dns/batch.ts";
import { ReplyTable } from "../../src/dns/reply-table.ts";

function room(): PacketRoom {
  const octets = new Uint8Array(1280);
  return { octets, words: new Int32Array(octets.buffer) };
}

function about(octets: number) {
  return { octets, addressAt: octets - 4, rcode: octets & 15, class: octets };
}

describe("prepared replies", () => {
  it("are found whole, or not at all, however many there have been", () => {
    const table = new ReplyTable();
    const [reply, out] = [room(), room()];
    const octetsOf = (i: number): number => 12 + (i % 500);
    let found = 0;
    for (let i = 1; i <= 100_000; i++) {
      reply.octets.fill(i & 255);
      reply.words[0] = i;
      table.store(i, i >> 3, reply, about(octetsOf(i)));
      // The newest, one of a while ago, and one that never was.
      for (const wanted of [i, Math.max(1, i - 5000)]) {
        const at = table.find(wanted, wanted >> 3);
        if (wanted === i) expect(at).toBeGreaterThanOrEqual(0);
        if (at < 0) continue;
        found++;
        const octets = octetsOf(wanted);
        expect(table.octetsAt(at)).toBe(octets);
        expect(table.addressAt(at)).toBe(octets - 4);
        expect(table.rcodeAt(at)).toBe(octets & 15);
        expect(table.classAt(at)).toBe(octets);
        table.copyTo(out, at, 0xabcd);
        expect(out.words[0]).toBe((wanted & ~0xffff) | 0xabcd);
        expect(out.octets[octets - 1]).toBe(wanted & 255);
      }
      if (i % 1000 === 0) expect(table.find(i, (i >> 3) + 1)).toBe(-1);
    }
    expect(found).toBeGreaterThan(120_000);
  });

  it("are gone after the table is cleared", () => {
    const table = new ReplyTable();
    table.store(1, 0, room(), about(40));
    expect(table.find(1, 0)).toBeGreaterThanOrEqual(0);
    table.clear();
    expect(table.find(1, 0)).toBe(-1);
  });
});
