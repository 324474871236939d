import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  contains,
  formatAddress,
  formatPrefix,
  maskBytes,
  parseAddress,
  parsePrefix,
} from "../../src/base/address.ts";
import type { Address } from "../../src/model/address.ts";

const text = (address: Address | undefined) => (address === undefined ? undefined : formatAddress(address));

describe("parseAddress and formatAddress", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::ffff:c000:201", "192.0.2.1"],
    ["2001:DB8::1", "2001:db8::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["1.2.3", undefined],
    ["01.2.3.4", undefined],
    ["1.2.3.4 ", undefined],
    ["fe80::1%eth0", undefined],
    ["[::1]", undefined],
    ["", undefined],
  ])("%s", (input, expected) => {
    expect(text(parseAddress(input))).toBe(expected);
  });

  it("agrees with the URL parser on every IPv6 address", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        (a, m) => {
          // Zero some octets, so that runs of zeros are common.
          const bytes = a.map((octet, i) => ((m[i] as number) & 1 ? 0 : octet));
          const formatted = formatAddress({ family: 6, bytes });
          expect(new URL(`http://[${formatted}]/`).hostname).toBe(`[${formatted}]`);
          expect(parseAddress(formatted)?.bytes).toEqual(
            formatted.startsWith("::ffff:") ? bytes.slice(12) : bytes,
          );
        },
      ),
    );
  });
});

describe("parsePrefix", () => {
  it.each([
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["10.0.0.1", "10.0.0.1/32"],
    ["::/0", "::/0"],
    ["2001:db8::/33", "2001:db8::/33"],
    ["::ffff:10.0.0.0/104", "10.0.0.0/8"],
    ["10.0.0.1/8", undefined],
    ["10.0.0.0/33", undefined],
    ["10.0.0.0/-1", undefined],
    ["10.0.0.0/08", undefined],
    ["10.0.0.0/", undefined],
    ["::/129", undefined],
    ["x/8", undefined],
  ])("%s", (input, expected) => {
    const prefix = parsePrefix(input);
    expect(prefix && formatPrefix(prefix)).toBe(expected);
  });
});

describe("contains", () => {
  it("agrees with arithmetic on IPv4", () => {
    const word = fc.integer({ min: 0, max: 0xffffffff });
    const bytes = (value: number) => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
    fc.assert(
      fc.property(word, word, fc.integer({ min: 0, max: 32 }), fc.boolean(), (a, b, length, near) => {
        const mask = length === 0 ? 0 : (-1 << (32 - length)) >>> 0;
        const other = near ? ((a & mask) | (b & ~mask)) >>> 0 : b;
        const prefix = { family: 4 as const, bytes: maskBytes(bytes(a), length), length };
        expect(contains(prefix, { family: 4, bytes: bytes(other) })).toBe(
          (a & mask) >>> 0 === (other & mask) >>> 0,
        );
      }),
    );
  });

  it("never holds across families", () => {
    expect(
      contains({ family: 6, bytes: new Uint8Array(16), length: 0 }, { family: 4, bytes: new Uint8Array(4) }),
    ).toBe(false);
  });
});
