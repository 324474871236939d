import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contains, formatAddress, parseAddress } from "../../src/base/address.ts";
import { clientOf, compileTrusted, type HeaderFields } from "../../src/http/client-address.ts";
import type { Address, Prefix } from "../../src/model/address.ts";
import { trusted } from "./fixture.ts";

const PROXIES = compileTrusted(trusted("127.0.0.0/8", "10.0.0.0/8", "2001:db8:ffff::/48"));

function viewerOf(peer: string, headers: HeaderFields): string {
  const client = clientOf(parseAddress(peer) as Address, headers, PROXIES);
  return `${formatAddress(client.address)}/${client.prefixLength} ${client.from}`;
}

describe("X-Forwarded-For", () => {
  it.each([
    ["a direct viewer's header is ignored", "198.51.100.1", "203.0.113.9", "198.51.100.1/32 source"],
    ["one proxy", "127.0.0.1", "203.0.113.9", "203.0.113.9/32 forwarded"],
    ["a forged hop in front", "127.0.0.1", "192.0.2.66, 203.0.113.9", "203.0.113.9/32 forwarded"],
    [
      "a forged trusted hop in front",
      "127.0.0.1",
      "192.0.2.66, 10.0.0.1, 203.0.113.9",
      "203.0.113.9/32 forwarded",
    ],
    ["two proxies", "127.0.0.1", "203.0.113.9, 10.1.2.3", "203.0.113.9/32 forwarded"],
    [
      "two proxies and a forged hop",
      "127.0.0.1",
      "192.0.2.66,203.0.113.9,10.1.2.3",
      "203.0.113.9/32 forwarded",
    ],
    ["only trusted hops: the first", "127.0.0.1", "10.0.0.7, 10.0.0.8", "10.0.0.7/32 forwarded"],
    ["a port", "127.0.0.1", "203.0.113.9:4711", "203.0.113.9/32 forwarded"],
    ["IPv6", "127.0.0.1", "2001:db8::9", "2001:db8::9/128 forwarded"],
    ["IPv6 in brackets", "127.0.0.1", "[2001:db8::9]", "2001:db8::9/128 forwarded"],
    ["IPv6 in brackets with a port", "127.0.0.1", "[2001:db8::9]:4711", "2001:db8::9/128 forwarded"],
    ["quoted", "127.0.0.1", '"[2001:db8::9]:4711"', "2001:db8::9/128 forwarded"],
    ["IPv4-mapped is IPv4", "127.0.0.1", "::ffff:203.0.113.9", "203.0.113.9/32 forwarded"],
    ["IPv4-mapped peer", "::ffff:127.0.0.1", "203.0.113.9", "203.0.113.9/32 forwarded"],
    ["IPv4-mapped untrusted peer", "::ffff:198.51.100.1", "203.0.113.9", "198.51.100.1/32 source"],
    ["a trusted IPv6 peer", "2001:db8:ffff::1", "203.0.113.9", "203.0.113.9/32 forwarded"],
    ["empty items", "127.0.0.1", " , 203.0.113.9 ,, \t,", "203.0.113.9/32 forwarded"],
    ["nothing but empty items", "127.0.0.1", " ,, ", "127.0.0.1/32 source"],
    ["empty", "127.0.0.1", "", "127.0.0.1/32 source"],
    ["unknown", "127.0.0.1", "203.0.113.9, unknown", "127.0.0.1/32 source"],
    ["unknown behind a trusted hop", "127.0.0.1", "unknown, 10.0.0.8", "10.0.0.8/32 forwarded"],
    ["obfuscated", "127.0.0.1", "203.0.113.9, _hidden", "127.0.0.1/32 source"],
    ["malformed", "127.0.0.1", "203.0.113.9, 203.0.113.999", "127.0.0.1/32 source"],
    ["malformed behind a trusted hop", "127.0.0.1", "203.0.113.9, x, 10.0.0.8", "10.0.0.8/32 forwarded"],
    ["an interface", "127.0.0.1", "fe80::1%eth0", "127.0.0.1/32 source"],
    ["a port that is none", "127.0.0.1", "203.0.113.9:port", "127.0.0.1/32 source"],
    ["IPv4 in brackets", "127.0.0.1", "[203.0.113.9]", "127.0.0.1/32 source"],
    ["an open quote in front", "127.0.0.1", '", 203.0.113.9', "203.0.113.9/32 forwarded"],
    ["octal look-alikes", "127.0.0.1", "0203.0.113.9", "127.0.0.1/32 source"],
    ["a number", "127.0.0.1", "3405803785", "127.0.0.1/32 source"],
  ])("%s", (_what, peer, field, viewer) => {
    expect(viewerOf(peer, { "x-forwarded-for": field })).toBe(viewer);
  });
});

describe("Forwarded (RFC 7239)", () => {
  it.each([
    ["a direct viewer's header is ignored", "198.51.100.1", "for=203.0.113.9", "198.51.100.1/32 source"],
    ["one proxy", "127.0.0.1", "for=203.0.113.9", "203.0.113.9/32 forwarded"],
    [
      "any case, more parameters",
      "127.0.0.1",
      "proto=https;For=203.0.113.9 ; by=10.0.0.1",
      "203.0.113.9/32 forwarded",
    ],
    ["quoted IPv6 with a port", "127.0.0.1", 'for="[2001:db8::9]:4711"', "2001:db8::9/128 forwarded"],
    ["an obfuscated port", "127.0.0.1", 'for="203.0.113.9:_p"', "203.0.113.9/32 forwarded"],
    ["an unquoted port", "127.0.0.1", "for=203.0.113.9:80", "203.0.113.9/32 forwarded"],
    ["a quoted pair", "127.0.0.1", 'for="203\\.0.113.9"', "203.0.113.9/32 forwarded"],
    ["a forged hop in front", "127.0.0.1", "for=192.0.2.66, for=203.0.113.9", "203.0.113.9/32 forwarded"],
    ["two proxies", "127.0.0.1", "for=203.0.113.9, for=10.0.0.8", "203.0.113.9/32 forwarded"],
    ["obfuscated", "127.0.0.1", "for=203.0.113.9, for=_obf", "127.0.0.1/32 source"],
    ["unknown", "127.0.0.1", "for=unknown, for=10.0.0.8", "10.0.0.8/32 forwarded"],
    ["unknown with a port", "127.0.0.1", 'for="unknown:80"', "127.0.0.1/32 source"],
    ["no for at all", "127.0.0.1", "for=203.0.113.9, proto=https", "127.0.0.1/32 source"],
    ["for twice", "127.0.0.1", "for=192.0.2.66;for=203.0.113.9", "127.0.0.1/32 source"],
    ["an open quote in front", "127.0.0.1", 'for=", for=203.0.113.9', "203.0.113.9/32 forwarded"],
    [
      "a comma inside quotes",
      "127.0.0.1",
      'for=203.0.113.9;host="a, for=192.0.2.66"',
      "203.0.113.9/32 forwarded",
    ],
    [
      "a quote inside quotes",
      "127.0.0.1",
      'for=203.0.113.9;host="\\", for=192.0.2.66;x=\\""',
      "203.0.113.9/32 forwarded",
    ],
    [
      "malformed behind a trusted hop",
      "127.0.0.1",
      "for=203.0.113.9, f\u00f6r=x, for=10.0.0.8",
      "10.0.0.8/32 forwarded",
    ],
  ])("%s", (_what, peer, field, viewer) => {
    expect(viewerOf(peer, { forwarded: field })).toBe(viewer);
  });

  it("wins over X-Forwarded-For", () => {
    const headers = { forwarded: "for=203.0.113.9", "x-forwarded-for": "192.0.2.66" };
    expect(viewerOf("127.0.0.1", headers)).toBe("203.0.113.9/32 forwarded");
  });

  it.each(["", "for=", "garbage", 'for="', "for=300.0.0.1"])(
    "leaves it to X-Forwarded-For when it says %j",
    (forwarded) => {
      expect(viewerOf("127.0.0.1", { forwarded, "x-forwarded-for": "203.0.113.9" })).toBe(
        "203.0.113.9/32 forwarded",
      );
    },
  );
});

it("ignores every other header", () => {
  const headers = { "x-real-ip": "192.0.2.66", "true-client-ip": "192.0.2.66", "x-client-ip": "192.0.2.66" };
  expect(viewerOf("127.0.0.1", headers)).toBe("127.0.0.1/32 source");
});

it.each([" ", ",", ";", '"', "\\", '\\"', "a=b;", "a=", "for=10.0.0.1,", "\t;"])(
  "reads a megabyte of %j in linear time",
  (filler) => {
    const field = `x=${filler.repeat(1_000_000 / filler.length)}@`; // quadratic: beyond the time limit of the test
    expect(viewerOf("127.0.0.1", { forwarded: field, "x-forwarded-for": field })).toBe("127.0.0.1/32 source");
  },
);

describe("compileTrusted", () => {
  const address = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes): Address => ({ family: 4, bytes })),
    fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes): Address => ({ family: 6, bytes })),
  );
  const prefix = fc.tuple(address, fc.nat(128)).map(([{ family, bytes }, n]): Prefix => {
    const length = n % (bytes.length * 8 + 1);
    const masked = bytes.map(
      (octet, i) => octet & (0xff00 >> Math.max(0, Math.min(8, length - i * 8))) & 0xff,
    );
    return { family, bytes: masked, length };
  });

  it("says what a look at every prefix says", () => {
    fc.assert(
      fc.property(
        fc.array(prefix, { maxLength: 20 }),
        fc.array(address, { maxLength: 5 }),
        (prefixes, others) => {
          const isTrusted = compileTrusted(prefixes);
          const inside = prefixes.map(({ family, bytes }): Address => ({ family, bytes }));
          const beside = prefixes.map(({ family, bytes, length }): Address => {
            const next = Uint8Array.from(bytes);
            if (length > 0)
              next[(length - 1) >> 3] = (next[(length - 1) >> 3] as number) ^ (0x80 >> ((length - 1) & 7));
            return { family, bytes: next };
          });
          for (const one of [...inside, ...beside, ...others])
            expect(isTrusted(one)).toBe(prefixes.some((prefix) => contains(prefix, one)));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("takes everything and nothing", () => {
    const anyone = compileTrusted(trusted("0.0.0.0/0", "192.0.2.0/24"));
    expect(anyone(parseAddress("203.0.113.9") as Address)).toBe(true);
    expect(anyone(parseAddress("2001:db8::9") as Address)).toBe(false);
    expect(compileTrusted([])(parseAddress("127.0.0.1") as Address)).toBe(false);
  });
});
