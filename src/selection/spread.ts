import type { Address } from "../model/address.ts";
import type { Choice } from "../model/decision.ts";

/**
 * Weighted rendezvous hashing: each edge draws a number from (key, edge id); the draws order the edges so
 * that each comes first for its weight's share of the keys, and an edge that leaves moves nobody else.
 * The lower, the better. Weight 0 always loses to any other.
 */
export function rendezvousDraw(key: number, edgeId: string, weight: number): number {
  const uniform = (mix(key ^ hashText(edgeId)) + 0.5) / 0x1_0000_0000;
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

/** Orders edges within `bandKm` of a group's best by their draw instead of by score; the list is sorted by score. */
export function spreadEquals(
  sorted: readonly Choice[],
  score: (choice: Choice) => number,
  bandKm: number,
  draw: (choice: Choice) => number,
): Choice[] {
  const spread: Choice[] = [];
  for (let start = 0; start < sorted.length; ) {
    const best = score(sorted[start] as Choice);
    let end = start + 1;
    while (end < sorted.length && score(sorted[end] as Choice) - best <= bandKm) end++;
    const equals = sorted.slice(start, end);
    spread.push(...(equals.length > 1 ? equals.sort((a, b) => draw(a) - draw(b)) : equals));
    start = end;
  }
  return spread;
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** The finalizer of MurmurHash3: FNV alone leaves the high bits of short keys alike. */
function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
