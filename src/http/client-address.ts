import { parseAddress, parseIpv4, widthOf } from "../base/address.ts";
import type { Address, Prefix } from "../model/address.ts";
import type { Client, ClientOrigin } from "../model/client.ts";

/** Request header fields by lower-case name, repeated ones joined with commas, as node:http hands them over. */
export interface HeaderFields {
  readonly [name: string]: string | readonly string[] | undefined;
}

/**
 * Who asks: the socket's peer or, if the peer is trusted, the hop that the proxies' `Forwarded` (RFC 7239) or
 * `X-Forwarded-For` names. Hops are read from the right, each vouched for by the trusted one after it; the first that
 * is not trusted is the viewer. A hop that is hidden or malformed ends the walk at the last trusted address.
 *
 * `Forwarded` is preferred while its last element, the one that the peer itself wrote, is well-formed. A proxy that
 * writes only one of the two fields must therefore remove the other.
 */
export function clientOf(peer: Address, headers: HeaderFields, isTrusted: TrustedProxies): Client {
  let viewer = peer;
  let from: ClientOrigin = "source";
  if (isTrusted(peer)) {
    const { list, hopOf } = hopsIn(headers);
    for (let end = list.length; end >= 0; ) {
      const start = startOfItem(list, end);
      const item = trimmed(list, start, end);
      end = start - 1;
      if (item === "") continue;
      const hop = hopOf(item);
      if (hop.kind !== "address") break;
      viewer = hop.address;
      from = "forwarded";
      if (!isTrusted(viewer)) break;
    }
  }
  return { address: viewer, prefixLength: widthOf(viewer.family), from };
}

/** Whether an address lies in one of the trusted networks. */
export type TrustedProxies = (address: Address) => boolean;

/** Compiles networks into one binary trie per family; a look-up takes at most one step per bit of the address. */
export function compileTrusted(prefixes: readonly Prefix[]): TrustedProxies {
  const ipv4 = trieOf(prefixes.filter((prefix) => prefix.family === 4));
  const ipv6 = trieOf(prefixes.filter((prefix) => prefix.family === 6));
  return (address) => covers(address.family === 4 ? ipv4 : ipv6, address.bytes);
}

/**
 * Two slots per node, for the next bit 0 and 1: the next node's index, `NOTHING` or `COVERED`. Node 0 stands for no
 * bits.
 */
type Trie = number[];

const NOTHING = 0;
const COVERED = -1;

function trieOf(prefixes: readonly Prefix[]): Trie {
  if (prefixes.some((prefix) => prefix.length === 0)) return [COVERED, COVERED];
  const trie: Trie = [NOTHING, NOTHING];
  for (const { bytes, length } of prefixes) {
    let node = 0;
    for (let depth = 0; depth < length && node !== COVERED; depth++) {
      const slot = node * 2 + bitAt(bytes, depth);
      if (depth === length - 1) trie[slot] = COVERED;
      else if (trie[slot] === NOTHING) trie[slot] = trie.push(NOTHING, NOTHING) / 2 - 1;
      node = trie[slot] as number;
    }
  }
  return trie;
}

function covers(trie: Trie, bytes: Uint8Array): boolean {
  let node = 0;
  for (let depth = 0; depth < bytes.length * 8; depth++) {
    node = trie[node * 2 + bitAt(bytes, depth)] as number;
    if (node === NOTHING) return false;
    if (node === COVERED) return true;
  }
  return false;
}

function bitAt(bytes: Uint8Array, depth: number): 0 | 1 {
  return (((bytes[depth >> 3] as number) >> (7 - (depth & 7))) & 1) as 0 | 1;
}

/** hidden: `unknown`, an obfuscated identifier (RFC 7239 6.3), or an element without `for`. */
type Hop =
  | { readonly kind: "address"; readonly address: Address }
  | { readonly kind: "hidden" }
  | { readonly kind: "malformed" };

/** A comma-separated list of hops, the nearest last, and how each is read. */
interface Hops {
  readonly list: string;
  readonly hopOf: (item: string) => Hop;
}

function hopsIn(headers: HeaderFields): Hops {
  const forwarded = textOf(headers["forwarded"]);
  if (forwarded !== undefined) {
    const nearest = lastItem(forwarded);
    if (nearest !== "" && forwardedHop(nearest).kind !== "malformed")
      return { list: forwarded, hopOf: forwardedHop };
  }
  return { list: textOf(headers["x-forwarded-for"]) ?? "", hopOf: nodeHop };
}

function textOf(field: string | readonly string[] | undefined): string | undefined {
  return field === undefined || typeof field === "string" ? field : field.join(",");
}

/** The last that is not empty; otherwise empty. */
function lastItem(list: string): string {
  let item = "";
  for (let end = list.length; end >= 0 && item === ""; ) {
    const start = startOfItem(list, end);
    item = trimmed(list, start, end);
    end = start - 1;
  }
  return item;
}

/**
 * Where the member of a comma-separated list begins that ends at `end`. Read backwards, so that nothing a client wrote
 * in front can change how the members that proxies appended are read.
 */
function startOfItem(list: string, end: number): number {
  let quoted = false;
  for (let i = end - 1; i >= 0; i--) {
    const code = list.charCodeAt(i);
    if (code === QUOTE && !isEscaped(list, i)) quoted = !quoted;
    else if (code === COMMA && !quoted) return i + 1;
  }
  return 0;
}

function isEscaped(text: string, index: number): boolean {
  let backslashes = 0;
  while (text[index - 1 - backslashes] === "\\") backslashes++;
  return backslashes % 2 === 1;
}

/** From `start` to `end`. Optional white space is space and tab alone (RFC 9110 5.6.3). */
function trimmed(text: string, start: number, end: number): string {
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

const QUOTE = 0x22;
const COMMA = 0x2c;

/** `name=value` up to the next `;`. Takes `:` and brackets unquoted too, as many proxies write them. */
const FORWARDED_PAIR =
  /[ \t]*(?:([\w!#$%&'*+.^`|~-]+)=(?:([\w!#$%&'*+.^`|~:[\]-]+)|"((?:[^"\\]|\\.)*)")[ \t]*)?(?:;|$)/y;

/** One forwarded-element (RFC 7239 4). */
function forwardedHop(element: string): Hop {
  let node: string | undefined;
  FORWARDED_PAIR.lastIndex = 0;
  while (FORWARDED_PAIR.lastIndex < element.length) {
    const pair = FORWARDED_PAIR.exec(element);
    if (pair === null) return { kind: "malformed" };
    const [, name, token, quoted] = pair;
    if (name?.toLowerCase() !== "for") continue;
    if (node !== undefined) return { kind: "malformed" };
    node = token ?? quoted?.replace(/\\(.)/g, "$1");
  }
  return node === undefined ? { kind: "hidden" } : nodeHop(node);
}

const ADDRESS_AND_PORT = /^(?:\[([\da-fA-F:.]+)\]|([\d.]+))(?::(?:\d{1,5}|_[\w.-]+))?$/;

/** A node (RFC 7239 6), or what stands for one in `X-Forwarded-For`: also IPv6 without brackets. */
function nodeHop(node: string): Hop {
  const plain = parseIpv4(node);
  if (plain !== undefined) return { kind: "address", address: plain };
  const text = node.length > 1 && node.startsWith('"') && node.endsWith('"') ? node.slice(1, -1) : node;
  if (/^(?:unknown|_[\w.-]+)(?::(?:\d{1,5}|_[\w.-]+))?$/i.test(text)) return { kind: "hidden" };
  const [, ipv6, ipv4] = ADDRESS_AND_PORT.exec(text) ?? [];
  if (ipv6 !== undefined && !ipv6.includes(":")) return { kind: "malformed" };
  const address = parseAddress(ipv6 ?? ipv4 ?? text);
  return address === undefined ? { kind: "malformed" } : { kind: "address", address };
}
