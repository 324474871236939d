import { describe, expect, it } from "vitest";
import type { PacketRoom } from "../../src/dns/batch-memory.ts";
import { ReplyTable, SHAPES_MAX } from "../../src/dns/reply-table.ts";

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
    const [reply, out, query] = [room(), room(), room()];
    query.words[0] = 0xabcd;
    const octetsOf = (i: number): number => 12 + (i % 500);
    /** What is compared by the hundred thousand costs as little as that. */
    const isWhole = (at: number, i: number): boolean => {
      const octets = octetsOf(i);
      table.copyTo(out, at, query);
      return (
        table.octetsAt(at) === octets &&
        table.addressAt(at) === octets - 4 &&
        table.rcodeAt(at) === (octets & 15) &&
        table.classAt(at) === octets &&
        out.words[0] === ((i & ~0xffff) | 0xabcd) &&
        out.octets[octets - 1] === (i & 255)
      );
    };
    const wrong: (readonly [of: number, asked: string])[] = [];
    let found = 0;
    for (let i = 1; i <= 100_000; i++) {
      reply.octets.fill(i & 255);
      reply.words[0] = i;
      table.store(i % SHAPES_MAX || 1, i >> 3, reply, about(octetsOf(i)), query);
      // The newest, one of a while ago, and one that never was.
      for (const wanted of [i, Math.max(1, i - 5000)]) {
        const at = table.find(wanted % SHAPES_MAX || 1, wanted >> 3);
        if (at < 0 && wanted === i) wrong.push([i, "the newest"]);
        if (at < 0) continue;
        found++;
        if (!isWhole(at, wanted)) wrong.push([wanted, `behind ${i}`]);
      }
      if (table.find(i % SHAPES_MAX || 1, (i >> 3) + 1) !== -1) wrong.push([i, "what never was"]);
    }
    expect(wrong).toEqual([]);
    expect(found).toBeGreaterThan(120_000);
  });

  it("have the question of the query, and what they were stored with behind it", () => {
    const table = new ReplyTable();
    const names = Array.from({ length: 3000 }, (_, i) => [
      "s",
      String(i * 7919),
      "x".repeat(1 + (i % 63)),
      "example",
    ]);
    const queryFor = (labels: readonly string[], id: number): { packet: PacketRoom; end: number } => {
      const packet = room();
      const name = labels.flatMap((label) => [label.length, ...Buffer.from(label, "latin1")]);
      packet.octets.set([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...name, 0, 0, 1, 0, 1]);
      return { packet, end: 12 + name.length + 5 };
    };
    const replyTo = ({ packet, end }: { packet: PacketRoom; end: number }, i: number): PacketRoom => {
      const reply = room();
      reply.octets.set(packet.octets.subarray(0, end));
      reply.octets.set([0x85, 0, 0, 1, 0, 1], 2);
      reply.octets.set([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 20, 0, 4, 192, 0, 2, i % 50], end);
      return reply;
    };
    for (const [i, name] of names.entries()) {
      const query = queryFor(name, 1);
      table.store(i + 1, i % 50, replyTo(query, i), about(query.end + 16), query.packet);
    }
    const wrong: number[] = [];
    for (const [i, name] of names.entries()) {
      const query = queryFor(name, i);
      const out = room();
      const at = table.find(i + 1, i % 50);
      table.copyTo(out, at, query.packet);
      const due = replyTo(query, i).octets.subarray(0, query.end + 16);
      if (table.octetsAt(at) !== due.length || Buffer.compare(out.octets.subarray(0, due.length), due) !== 0)
        wrong.push(i);
    }
    expect(wrong).toEqual([]);
  });

  it("are gone after the table is cleared", () => {
    const table = new ReplyTable();
    table.store(1, 0, room(), about(40), room());
    expect(table.find(1, 0)).toBeGreaterThanOrEqual(0);
    table.clear();
    expect(table.find(1, 0)).toBe(-1);
  });
});
