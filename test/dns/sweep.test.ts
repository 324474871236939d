import { describe, expect, it } from "vitest";
import { decode, RCODES } from "./answers.ts";
import { ZONE } from "./fixture.ts";
import { reply, responder } from "./harness.ts";
import { query, TYPES } from "./packets.ts";

const dns = responder();

describe("every query type, 0 to 65,535", () => {
  it.each([`static.${ZONE}`, `live.${ZONE}`, `alias.${ZONE}`, ZONE])("at %s is answered by rule", (name) => {
    const counts = new Map<number, number>();
    for (let type = 0; type < 65_536; type++) {
      const octets = reply(dns, query({ name, type }));
      const rcode = (octets?.[3] ?? 0xff) & 0xf;
      counts.set(rcode, (counts.get(rcode) ?? 0) + 1);
    }
    const refused = [TYPES.AXFR, TYPES.IXFR].length;
    const malformed = [TYPES.OPT, TYPES.TSIG, 128].length;
    const notImplemented = [TYPES.TKEY, 253, 254].length;
    expect(Object.fromEntries(counts)).toEqual({
      [RCODES.NOERROR]: 65_536 - refused - malformed - notImplemented,
      [RCODES.REFUSED]: refused,
      [RCODES.FORMERR]: malformed,
      [RCODES.NOTIMP]: notImplemented,
    });
  });
});

describe("every flag word, 0 to 65,535", () => {
  it("RFC 8906 8.1: queries are answered, other opcodes are NOTIMP, responses get no reply", () => {
    for (let flags = 0; flags < 65_536; flags++) {
      const octets = reply(dns, query({ name: `static.${ZONE}`, flags }));
      const opcode = (flags >> 11) & 0xf;
      if ((flags & 0x8000) !== 0) {
        if (octets !== undefined) throw new Error(`a reply to the response 0x${flags.toString(16)}`);
        continue;
      }
      const answered = octets?.readUInt16BE(2);
      const expected = 0x8000 | (flags & 0x7900) | (opcode === 0 ? 0x0400 : RCODES.NOTIMP);
      if (answered !== expected) throw new Error(`0x${flags.toString(16)} gives 0x${answered?.toString(16)}`);
    }
  });
});

describe("every opcode with EDNS", () => {
  it("RFC 8906 8.2: is echoed", () => {
    for (let opcode = 1; opcode < 16; opcode++) {
      const octets = reply(dns, query({ name: ZONE, flags: opcode << 11, edns: {} }));
      expect(decode(octets ?? Buffer.alloc(0))).toMatchObject({ opcode, rcode: RCODES.NOTIMP });
    }
  });
});
