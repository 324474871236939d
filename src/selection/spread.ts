import type { Address } from "../model/address.ts";

/**
 * Weighted rendezvous hashing: each edge draws a number from (key, hash of its id); the draws order the edges so
 * that each comes first for its weight's share of the keys, and an edge that leaves moves nobody else.
 * The lower, the better. Weight 0 always loses to any other.
 */
export function rendezvousDraw(key: number, idHash: number, weight: number): number {
  const uniform = (mix(key ^ idHash) + 0.5) / 0x1_0000_0000;
  return weight > 0 ? -Math.log(uniform) / weight : Number.POSITIVE_INFINITY;
}

/** 32 bits from the network that a client's first `length` bits name. */
export function networkKey(address: Address, length: number): number {
  let hash = FNV_OFFSET ^ length;
  for (let i = 0; i * 8 < length; i++) {
    const left = length - i * 8;
    const octet = left >= 8 ? address.bytes[i] : (address.bytes[i] as number) & (0xff << (8 - left));
    hash = Math.imul(hash ^ ((octet as number) & 0xff), FNV_PRIME);
  }
  return mix(hash);
}

export function hashText(text: string): number {
  let hash = FNV_OFFSET;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  return mix(hash);
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** The finalizer of MurmurHash3: FNV alone leaves the high bits of short keys alike. */
export function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
