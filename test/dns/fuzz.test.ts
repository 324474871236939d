import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RCODES } from "./answers.ts";
import { SERVICES, ZONE, ZONES } from "./fixture.ts";
import { reply, responder } from "./harness.ts";
import { option, query, record, subnet, TYPES } from "./packets.ts";
import { checkReply } from "./reply-rules.ts";

const faults: unknown[] = [];
const dns = responder({ onFault: (error) => faults.push(error) });

/** Every rule that holds for whatever comes in. */
function check(packet: Uint8Array): void {
  for (const transport of ["udp", "tcp"] as const)
    checkReply(packet, transport, reply(dns, packet, transport));
}

const someName = fc.oneof(
  fc.constantFrom(
    ...ZONES.flatMap(({ records }) => records.map(({ name }) => name)),
    ...SERVICES.flatMap(({ hostnames }) => hostnames),
    ZONE,
    "",
  ),
  fc
    .tuple(
      fc.stringMatching(/^[ -\-/-~]{1,40}$/),
      fc.constantFrom(ZONE, `wild.${ZONE}`, `tenant.${ZONE}`, "example.org"),
    )
    .map(([label, suffix]) => `${label}.${suffix}`),
);
const octet = fc.integer({ min: 0, max: 255 });
const someType = fc.oneof(fc.constantFrom(...Object.values(TYPES)), fc.integer({ min: 0, max: 65_535 }));
const someOption = fc.oneof(
  fc
    .tuple(fc.integer({ min: 0, max: 20 }), fc.array(octet, { maxLength: 45 }))
    .map(([code, data]) => option(code, data)),
  fc
    .tuple(
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 0, max: 130 }),
      fc.array(octet, { maxLength: 17 }),
    )
    .map(([family, source, address]) => subnet(family, source, address)),
  fc.integer({ min: 0, max: 32 }).map((source) =>
    subnet(
      1,
      source,
      Array.from({ length: (source + 7) >> 3 }, () => 0),
    ),
  ),
);
const someRecord = fc
  .tuple(
    fc.constantFrom(1, 2, 3),
    fc.array(octet, { maxLength: 20 }),
    someType,
    fc.array(octet, { maxLength: 40 }),
  )
  .map(([section, owner, type, data]) => ({
    section,
    octets: record(owner, type, data),
  }));
const someQuery = fc
  .record(
    {
      name: someName,
      type: someType,
      class: fc.constantFrom(1, 1, 1, 3, 255),
      flags: fc.integer({ min: 0, max: 0xffff }).map((flags) => flags & 0x07ff),
      edns: fc.record(
        {
          size: fc.integer({ min: 0, max: 65_535 }),
          version: fc.constantFrom(0, 0, 0, 1, 255),
          flags: fc.integer({ min: 0, max: 65_535 }),
          options: fc.array(someOption, { maxLength: 4 }),
        },
        { requiredKeys: [] },
      ),
      records: fc.array(someRecord, { maxLength: 3 }),
      junk: fc.uint8Array({ maxLength: 30 }),
    },
    { requiredKeys: ["name"] },
  )
  .map(query);

/** Octets overwritten, cut off, or doubled. */
const mutated = fc
  .tuple(someQuery, fc.array(fc.tuple(fc.nat(), octet), { maxLength: 6 }), fc.option(fc.nat()))
  .map(([packet, changes, cut]) => {
    const copy = Buffer.from(packet);
    for (const [at, value] of changes) copy[at % copy.length] = value;
    return cut === null ? copy : copy.subarray(0, cut % (copy.length + 1));
  });

describe("whatever comes in", () => {
  it.each([
    ["any octets", fc.uint8Array({ maxLength: 600 }), 10_000],
    [
      "a header and any octets",
      fc.uint8Array({ maxLength: 200 }).map((rest) => query({ counts: [1, 0, 0, 1], junk: rest })),
      10_000,
    ],
    ["queries", someQuery, 15_000],
    ["damaged queries", mutated, 25_000],
  ] as const)(
    "%s: a reply of allowed size that others can read, or by rule none",
    (_name, packets, numRuns) => {
      faults.length = 0;
      fc.assert(fc.property(packets as fc.Arbitrary<Uint8Array>, check), { numRuns });
      // The fixture's one hostname with a bug in its decision is the only fault there may be.
      expect(faults.every((fault) => fault instanceof Error && fault.message === "a bug")).toBe(true);
    },
    120_000,
  );

  it("a reply depends on the octets received alone, not on what the buffer held before", () => {
    fc.assert(
      fc.property(mutated, fc.uint8Array({ maxLength: 300 }), (packet, before) => {
        const buffer = new Uint8Array(4096);
        buffer.set(before);
        buffer.set(packet);
        buffer.set(before, packet.length);
        const out = new Uint8Array(1232);
        const octets = dns.respond(buffer, packet.length, Uint8Array.of(127, 0, 0, 1), "udp", out);
        const again = reply(dns, packet) ?? Buffer.alloc(0);
        expect(withoutCookie(Buffer.from(out.subarray(0, octets)))).toEqual(withoutCookie(again));
      }),
      { numRuns: 5000 },
    );
  }, 60_000);

  it("no query of a well-formed kind is SERVFAIL but those decided so", () => {
    const decidedSo = new Set(
      ["down", "empty", "gone", "broken", "todown", "bound-down"].map((id) => `${id}.${ZONE}`),
    );
    fc.assert(
      fc.property(someName, someType, (name, type) => {
        if (decidedSo.has(name)) return;
        const octets = reply(dns, query({ name, type }));
        expect((octets?.[3] ?? 0) & 0xf).not.toBe(RCODES.SERVFAIL);
      }),
      { numRuns: 5000 },
    );
  });
});

/** Cookies hold the second of the reply. */
function withoutCookie(octets: Buffer): string {
  return octets.toString("hex").replace(/000a0018.{48}/, "");
}
