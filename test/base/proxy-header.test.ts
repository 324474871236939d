import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { formatAddress } from "../../src/base/address.ts";
import {
  crc32c,
  looksLikeProxyHeader,
  PROXY_HEADER_OCTETS_MAX,
  type ProxyHeader,
  readProxyHeader,
} from "../../src/base/proxy-header.ts";
import { checksum, FAMILY, ssl, tlv, version2 } from "./proxy-headers.ts";

function told(header: ProxyHeader): string {
  if (header.kind !== "complete") return header.kind;
  const { proxied, length } = header;
  if (proxied === undefined) return `the other end, ${length} octets`;
  return `${formatAddress(proxied.address)}${proxied.isEncrypted ? " over TLS" : ""}, ${length} octets`;
}

const line = (text: string): string => told(readProxyHeader(Buffer.from(text, "latin1")));

describe("version 1", () => {
  it.each([
    ["PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\nGET /", "192.0.2.1, 45 octets"],
    ["PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255, 56 octets"],
    ["PROXY TCP6 2001:DB8::1 2001:db8::2 0 80\r\n", "2001:db8::1, 41 octets"],
    [
      `PROXY TCP6 ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}ffff 65535 65535\r\n`,
      `${"ffff:".repeat(7)}ffff, 104 octets`,
    ],
    ["PROXY UNKNOWN\r\n", "the other end, 15 octets"],
    ["PROXY UNKNOWN whatever \u00ff stands here\r\nGET", "the other end, 38 octets"],
  ])("%s", (text, expected) => {
    expect(line(text)).toBe(expected);
  });

  it("is waited for as long as it may still become one, octet by octet", () => {
    const whole = Buffer.from("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n");
    for (let length = 0; length < whole.length; length++)
      expect(readProxyHeader(whole.subarray(0, length)).kind).toBe("incomplete");
    expect(line(`PROXY UNKNOWN ${"x".repeat(91)}\r\n`)).toBe("the other end, 107 octets");
  });

  it.each([
    "proxy TCP4 192.0.2.1 198.51.100.1 1 2\r\n",
    "PROXY tcp4 192.0.2.1 198.51.100.1 1 2\r\n",
    "PROXY  TCP4 192.0.2.1 198.51.100.1 1 2\r\n",
    "PROXY TCP4 192.0.2.1 198.51.100.1 1 2 \r\n",
    "PROXY TCP4 192.0.2.1 198.51.100.1 1\r\n",
    "PROXY TCP4 192.0.2.01 198.51.100.1 1 2\r\n",
    "PROXY TCP4 192.0.2.256 198.51.100.1 1 2\r\n",
    "PROXY TCP4 192.0.2.1 198.51.100.1 01 2\r\n",
    "PROXY TCP4 192.0.2.1 198.51.100.1 1 65536\r\n",
    "PROXY TCP4 192.0.2.1 2001:db8::1 1 2\r\n",
    "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
    "PROXY TCP6 192.0.2.1 198.51.100.1 1 2\r\n",
    "PROXY TCP6 2001:db8::1::2 2001:db8::2 1 2\r\n",
    "PROXY TCP6 fe80::1%eth0 2001:db8::2 1 2\r\n",
    "PROXY UDP4 192.0.2.1 198.51.100.1 1 2\r\n",
    "PROXY TCP4 192.0.2.1 198.51.100.1 1 2\n",
    "PROXY TCP4 192.0.2.1 198.51.100.1 1 2\rGET",
    "PROXY\r\n",
    `PROXY UNKNOWN ${"x".repeat(92)}\r\n`,
    "GET / HTTP/1.1\r\n",
    "\x16\x03\x01",
  ])("refuses %j", (text) => {
    expect(line(text)).toBe("malformed");
  });
});

const IPV4 = [192, 0, 2, 1, 198, 51, 100, 1, 0xdc, 4, 1, 0xbb];
const IPV6 = [0x20, 1, 0xd, 0xb8, ...Array<number>(11).fill(0), 7, ...Array<number>(16).fill(1), 0, 1, 0, 2];
const PROXY = 0x21;
const LOCAL = 0x20;

describe("version 2", () => {
  it.each([
    ["TCP over IPv4", version2(PROXY, FAMILY.tcp4, IPV4), "192.0.2.1, 28 octets"],
    ["TCP over IPv6", version2(PROXY, FAMILY.tcp6, IPV6), "2001:db8::7, 52 octets"],
    [
      "IPv4 mapped into IPv6",
      version2(PROXY, FAMILY.tcp6, [...Array<number>(10).fill(0), 255, 255, 192, 0, 2, 9, ...IPV6.slice(16)]),
      "192.0.2.9, 52 octets",
    ],
    ["the balancer's own", version2(LOCAL, 0), "the other end, 16 octets"],
    ["its own, with anything behind", version2(LOCAL, 0xff, [1, 2, 3]), "the other end, 19 octets"],
    ["an unspecified family", version2(PROXY, 0, [1, 2, 3]), "the other end, 19 octets"],
    ["UDP", version2(PROXY, FAMILY.udp4, IPV4), "the other end, 28 octets"],
    ["a Unix socket", version2(PROXY, FAMILY.unix, Array<number>(216).fill(0)), "the other end, 232 octets"],
    [
      "TLVs",
      version2(PROXY, FAMILY.tcp4, [...IPV4, ...tlv(1, [104, 50]), ...tlv(4, [])]),
      "192.0.2.1, 36 octets",
    ],
    ["TLS", version2(PROXY, FAMILY.tcp4, [...IPV4, ...ssl(1)]), "192.0.2.1 over TLS, 36 octets"],
    ["no TLS", version2(PROXY, FAMILY.tcp4, [...IPV4, ...ssl(0)]), "192.0.2.1, 36 octets"],
    [
      "a checksum",
      checksum(version2(PROXY, FAMILY.tcp4, [...IPV4, ...tlv(3, [0, 0, 0, 0])])),
      "192.0.2.1, 35 octets",
    ],
  ])("of %s", (_what, octets, expected) => {
    expect(told(readProxyHeader(Buffer.concat([octets, Buffer.from("GET /")])))).toBe(expected);
    for (let length = 0; length < octets.length; length++)
      expect(readProxyHeader(octets.subarray(0, length)).kind).toBe("incomplete");
  });

  it.each([
    ["another version", version2(0x11, FAMILY.tcp4, IPV4)],
    ["another command", version2(0x22, FAMILY.tcp4, IPV4)],
    ["an unknown family", version2(PROXY, 0x41, IPV4)],
    ["an unknown protocol", version2(PROXY, 0x13, IPV4)],
    ["a length below its addresses", version2(PROXY, FAMILY.tcp4, IPV4.slice(0, 11))],
    ["IPv6 in the room of IPv4", version2(PROXY, FAMILY.tcp6, IPV4)],
    ["a TLV cut off", version2(PROXY, FAMILY.tcp4, [...IPV4, 4, 0])],
    ["a TLV beyond the end", version2(PROXY, FAMILY.tcp4, [...IPV4, 4, 0, 2, 1])],
    ["a wrong checksum", version2(PROXY, FAMILY.tcp4, [...IPV4, ...tlv(3, [0, 0, 0, 1])])],
    ["a checksum of three octets", version2(PROXY, FAMILY.tcp4, [...IPV4, ...tlv(3, [0, 0, 0])])],
    ["more than 536 octets", version2(LOCAL, 0, Array<number>(521).fill(0))],
    ["a wrong signature", Buffer.concat([version2(LOCAL, 0).subarray(0, 11), Buffer.from("\v")])],
  ])("refuses %s", (_what, octets) => {
    expect(readProxyHeader(octets).kind).toBe("malformed");
  });

  it("is refused for its length before that has come", () => {
    const header = version2(PROXY, FAMILY.tcp4, Array<number>(PROXY_HEADER_OCTETS_MAX).fill(0));
    expect(readProxyHeader(header.subarray(0, 16)).kind).toBe("malformed");
  });
});

it("has the checksum of RFC 3720 B.4", () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a91_36aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8_ab43);
});

it("never throws, and never reads beyond what it says", () => {
  const start = fc.constantFrom(
    version2(PROXY, FAMILY.tcp4, IPV4).subarray(0, 14),
    Buffer.from("PROXY TCP4 "),
  );
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 700 }), (start, rest) => {
      const octets = Buffer.concat([start, rest]);
      const header = readProxyHeader(octets);
      if (header.kind === "complete") {
        expect(header.length).toBeLessThanOrEqual(Math.min(octets.length, PROXY_HEADER_OCTETS_MAX));
        expect(readProxyHeader(octets.subarray(0, header.length))).toEqual(header);
      } else if (header.kind === "incomplete") expect(octets.length).toBeLessThan(PROXY_HEADER_OCTETS_MAX);
    }),
  );
});

it("knows its own beginnings among other octets", () => {
  expect(looksLikeProxyHeader(version2(LOCAL, 0))).toBe(true);
  expect(looksLikeProxyHeader(Buffer.from("PROXY TCP4"))).toBe(true);
  expect(looksLikeProxyHeader(Buffer.from("PROXYING / HTTP/1.1"))).toBe(false);
  expect(looksLikeProxyHeader(Buffer.from("\r\n\r\nGET / HTTP/1.1"))).toBe(false);
});
