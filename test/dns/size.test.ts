import { describe, expect, it } from "vitest";
import { compileNamespace } from "../../src/dns/namespace.ts";
import type { Zone } from "../../src/model/zone.ts";
import { decode } from "./answers.ts";
import { reply, responder } from "./harness.ts";
import { option, query, subnet, TYPES } from "./packets.ts";

/** Names `tN.size.test` with a TXT record of N octets of text. */
const LENGTHS = Array.from({ length: 1300 }, (_, i) => i);
const zone: Zone = {
  name: "size.test",
  nameservers: ["ns.size.test"],
  contact: "a@size.test",
  ttlSeconds: 60,
  negativeTtlSeconds: 60,
  serial: 1,
  records: LENGTHS.map((length) => ({
    name: `t${String(length).padStart(4, "0")}.size.test`,
    ttlSeconds: 60,
    data: { type: "TXT", strings: chopped(length) },
  })),
};

function chopped(length: number): Uint8Array[] {
  const strings: Uint8Array[] = [];
  for (let rest = length; strings.length === 0 || rest > 0; rest -= 255) {
    strings.push(new Uint8Array(Math.min(rest, 255)).fill(0x78));
  }
  return strings;
}

const dns = responder({ namespace: compileNamespace([zone], []) });
const COOKIE = option(10, [1, 2, 3, 4, 5, 6, 7, 8]);

describe("answers of every size", () => {
  it.each([
    ["without EDNS", undefined, 512],
    ["with EDNS of 700", { size: 700 }, 700],
    ["with EDNS of 4096", { size: 4096 }, 1232],
    [
      "with client subnet and cookie",
      { size: 1232, options: [subnet(2, 56, [1, 2, 3, 4, 5, 6, 7]), COOKIE] },
      1232,
    ],
  ])("%s are whole up to the last octet allowed, and TC beyond", (_name, edns, limit) => {
    let largest = 0;
    for (const { name } of zone.records) {
      const parts = { name, type: TYPES.TXT, ...(edns === undefined ? {} : { edns }) };
      const answer = decode(reply(dns, query(parts)) ?? Buffer.alloc(0));
      const whole = reply(dns, query(parts), "tcp")?.length ?? 0;
      expect(answer.tc, `${whole} octets`).toBe(whole > limit);
      expect(answer.counts[1]).toBe(answer.tc ? 0 : 1);
      if (!answer.tc) largest = Math.max(largest, answer.octets.length);
    }
    // A 256th octet of text costs two: one limit may be met only from one below.
    expect(limit - largest).toBeLessThanOrEqual(1);
  });
});

describe("RFC 2181 9: a set of thousands of records", () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      name: "many.size.test",
      ttlSeconds: 60,
      data: { type: "A", address: { family: 4, bytes: Uint8Array.of(10, i >> 16, i >> 8, i) } } as const,
    }));
  const answering = (count: number) =>
    responder({ namespace: compileNamespace([{ ...zone, records: many(count) }], []) });
  const asked = query({ name: "many.size.test", edns: {} });
  /** Header, question and OPT; a record is of 16 octets. */
  const MOST = Math.floor((65_535 - 12 - 20 - 11) / 16);

  it.each([1, 100, MOST])("is whole over TCP as long as a message holds it: %d", (count) => {
    const answer = decode(reply(answering(count), asked, "tcp") ?? Buffer.alloc(0));
    expect(answer).toMatchObject({ tc: false, counts: [1, count, 0, 1] });
  });

  it.each([MOST + 1, 150_000])("is left out whole beyond that, with TC: %d", (count) => {
    const dns = answering(count);
    for (const transport of ["udp", "tcp"] as const) {
      const answer = decode(reply(dns, asked, transport) ?? Buffer.alloc(0));
      expect(answer).toMatchObject({ tc: true, rcode: 0, counts: [1, 0, 0, 1] });
    }
  });
});
