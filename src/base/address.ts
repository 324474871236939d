import { isIPv6 } from "node:net";
import type { Address, Family, Prefix } from "../model/address.ts";

/** Parses a textual IPv4 or IPv6 address; `::ffff:a.b.c.d` becomes IPv4. No zone, port or brackets. */
export function parseAddress(text: string): Address | undefined {
  const ipv4 = parseIpv4(text);
  if (ipv4 !== undefined) return ipv4;
  if (!isIPv6(text) || text.includes("%")) return undefined;
  return unmapped(ipv6Bytes(text));
}

/** A dotted quad, in decimal and without leading zeros, as inet_pton(3) takes it. */
export function parseIpv4(text: string): Address | undefined {
  if (text.length > MAX_IPV4_LENGTH) return undefined;
  const bytes = new Uint8Array(4);
  let at = 0;
  for (let i = 0; i < 4; i++) {
    if (i > 0 && text.charCodeAt(at++) !== DOT) return undefined;
    const start = at;
    let value = 0;
    for (let digit = digitAt(text, at); digit >= 0; digit = digitAt(text, ++at)) value = 10 * value + digit;
    const length = at - start;
    if (length === 0 || value > 0xff || (length > 1 && text.charCodeAt(start) === ZERO)) return undefined;
    bytes[i] = value;
  }
  return at === text.length ? { family: 4, bytes } : undefined;
}

/** -1 for anything but a digit. */
function digitAt(text: string, at: number): number {
  const digit = text.charCodeAt(at) - ZERO;
  return digit >= 0 && digit <= 9 ? digit : -1;
}

const MAX_IPV4_LENGTH = "255.255.255.255".length;
const ZERO = 0x30;
const DOT = 0x2e;

/** Wraps octets from the wire (4 or 16); an IPv4-mapped IPv6 address becomes IPv4. */
export function addressOf(bytes: Uint8Array): Address {
  return bytes.length === 4 ? { family: 4, bytes } : unmapped(bytes);
}

/** Canonical text: dotted quad, or RFC 5952 for IPv6. */
export function formatAddress(address: Address): string {
  return address.family === 4 ? address.bytes.join(".") : formatIpv6(address.bytes);
}

/** Parses `ADDRESS/LENGTH`; a bare address is its whole length. Bits beyond the length must be zero. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf("/");
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const mapped = address.family === 4 && text.includes(":");
  const lengthText = slash < 0 ? undefined : text.slice(slash + 1);
  if (lengthText !== undefined && !/^(0|[1-9]\d{0,2})$/.test(lengthText)) return undefined;
  const width = widthOf(address.family);
  const length = lengthText === undefined ? width : Number(lengthText) - (mapped ? 96 : 0);
  if (length < 0 || length > width) return undefined;
  const bytes = maskBytes(address.bytes, length);
  return bytes.every((b, i) => b === address.bytes[i])
    ? { family: address.family, bytes, length }
    : undefined;
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix)}/${prefix.length}`;
}

/** The families that an edge with these addresses is judged by; one without any counts as IPv4. */
export function familiesOf(addresses: readonly Address[]): Family[] {
  return addresses.length === 0 ? [4] : [...new Set(addresses.map(({ family }) => family))];
}

/** 32 or 128. */
export function widthOf(family: Family): number {
  return family === 4 ? 32 : 128;
}

/** A copy with every bit after the first `length` set to zero. */
export function maskBytes(bytes: Uint8Array, length: number): Uint8Array {
  const masked = new Uint8Array(bytes.length);
  const whole = length >> 3;
  masked.set(bytes.subarray(0, whole));
  const rest = length & 7;
  if (rest !== 0) masked[whole] = (bytes[whole] as number) & (0xff << (8 - rest));
  return masked;
}

export function contains(prefix: Prefix, address: Address): boolean {
  return prefix.family === address.family && sameLeadingBits(prefix.bytes, address.bytes, prefix.length);
}

function sameLeadingBits(a: Uint8Array, b: Uint8Array, length: number): boolean {
  const whole = length >> 3;
  for (let i = 0; i < whole; i++) if (a[i] !== b[i]) return false;
  const rest = length & 7;
  return rest === 0 || (((a[whole] as number) ^ (b[whole] as number)) & (0xff << (8 - rest)) & 0xff) === 0;
}

function unmapped(bytes: Uint8Array): Address {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return { family: 6, bytes };
  return bytes[10] === 0xff && bytes[11] === 0xff
    ? { family: 4, bytes: bytes.slice(12) }
    : { family: 6, bytes };
}

function ipv4Bytes(text: string): Uint8Array {
  return Uint8Array.from(text.split("."), Number);
}

function ipv6Bytes(text: string): Uint8Array {
  const dot = text.lastIndexOf(".");
  const colon = text.lastIndexOf(":");
  const tail = dot < 0 ? [] : [...ipv4Bytes(text.slice(colon + 1))];
  const hex = dot < 0 ? text : text.slice(0, colon + 1) + pairs(tail);
  const [head = "", rest] = hex.split("::");
  const left = groups(head);
  const right = groups(rest ?? "");
  const bytes = new Uint8Array(16);
  left.forEach((g, i) => writeGroup(bytes, i, g));
  right.forEach((g, i) => writeGroup(bytes, 8 - right.length + i, g));
  return bytes;
}

function pairs(tail: number[]): string {
  const [a = 0, b = 0, c = 0, d = 0] = tail;
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

function groups(text: string): number[] {
  return text === "" ? [] : text.split(":").map((g) => Number.parseInt(g, 16));
}

function writeGroup(bytes: Uint8Array, index: number, group: number): void {
  bytes[index * 2] = group >> 8;
  bytes[index * 2 + 1] = group & 0xff;
}

function formatIpv6(bytes: Uint8Array): string {
  const words: number[] = [];
  for (let i = 0; i < 16; i += 2) words.push(((bytes[i] as number) << 8) | (bytes[i + 1] as number));
  const { start, length } = longestZeroRun(words);
  const hex = words.map((w) => w.toString(16));
  if (length < 2) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

function longestZeroRun(words: number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let i = 0; i < words.length; i++) {
    let n = 0;
    while (words[i + n] === 0) n++;
    if (n > best.length) best = { start: i, length: n };
  }
  return best;
}
