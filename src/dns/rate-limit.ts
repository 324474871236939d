/**
 * Response rate limiting, as BIND, NSD and Knot do it: whoever forges a victim's address gets us to send
 * it little.
 *
 * ```
 * client network, class of response ─► keyed hash ─► one of 4 places of a set ─► when its debt is paid
 *                                                                                   │
 *                                        answer ◄── within a second of now ◄────────┤
 *                                        truncate or drop ◄── beyond ◄──────────────┘
 * ```
 *
 * A place is one time: that at which the responses counted so far would have been sent at the rate allowed
 * (the theoretical arrival time of a leaky bucket). The table has a fixed size, and lies in memory that
 * threads share, so that the limit holds for all of them together; a race between two loses a count and
 * does no more harm. Who needs a new place gets the one that owes least: a flood from ever new addresses
 * does not make us forget those that are limited.
 */
import { contains } from "../base/address.ts";
import type { Prefix } from "../model/address.ts";
import type { RateLimit } from "../model/dns-settings.ts";

/** truncate: send the question back with TC=1, so that a real client comes over TCP. */
export type RateVerdict = "answer" | "truncate" | "drop";

export interface RateLimiter {
  /**
   * Counts a response.
   * @param source 4 or 16 octets
   * @param responseClass what responses count together, any 32 bits
   */
  judge(source: Uint8Array, responseClass: number): RateVerdict;
  /** undefined: nothing is limited. */
  take(settings: RateLimit | undefined): void;
}

/** What threads have in common; plain data. */
export interface RateTable {
  /** Of network and class; 0: nobody's. */
  readonly tags: Int32Array;
  /** Milliseconds, on `sharedMs`. */
  readonly paidAtMs: Float64Array;
  /** Refused since the last that was truncated. */
  readonly refused: Uint8Array;
  /** What nobody outside knows, so that nobody can choose who shares a place with whom. */
  readonly seeds: Int32Array;
}

export function newRateTable(seeds: Int32Array): RateTable {
  return {
    tags: new Int32Array(new SharedArrayBuffer(4 * PLACES)),
    paidAtMs: new Float64Array(new SharedArrayBuffer(8 * PLACES)),
    refused: new Uint8Array(new SharedArrayBuffer(PLACES)),
    seeds,
  };
}

/** @param nowMs the same for all who share the table */
export function createRateLimiter(
  table: RateTable,
  settings: RateLimit | undefined,
  nowMs: () => number = sharedMs,
): RateLimiter {
  const { tags, paidAtMs, refused, seeds } = table;
  const indexSeed = seeds[0] as number;
  const tagSeed = seeds[1] as number;
  let limit = compiled(settings);

  /** Where it is, or where it shall be: then it owes nothing yet. */
  const placeOf = (set: number, tag: number): number => {
    let least = set;
    for (let place = set; place < set + WAYS; place++) {
      if (tags[place] === tag) return place;
      if ((paidAtMs[place] as number) < (paidAtMs[least] as number)) least = place;
    }
    tags[least] = tag;
    paidAtMs[least] = 0;
    refused[least] = 0;
    return least;
  };

  const refuse = (place: number, slip: number): RateVerdict => {
    if (slip === 0) return "drop";
    const count = (refused[place] as number) + 1;
    refused[place] = count >= slip ? 0 : count;
    return count >= slip ? "truncate" : "drop";
  };

  return {
    judge(source, responseClass) {
      if (limit === undefined) return "answer";
      const octets = source.length === 4 ? limit.ipv4Octets : limit.ipv6Octets;
      const lastMask = source.length === 4 ? limit.ipv4LastMask : limit.ipv6LastMask;
      let index = mixed(indexSeed, responseClass);
      let tag = mixed(tagSeed, responseClass ^ source.length);
      for (let i = 0; i < octets; i++) {
        const octet = (source[i] as number) & (i === octets - 1 ? lastMask : 0xff);
        index = mixed(index, octet);
        tag = mixed(tag, octet);
      }
      const place = placeOf((index & (SETS - 1)) * WAYS, tag | 1);
      const now = nowMs();
      const paidAt = Math.max(paidAtMs[place] as number, now) + limit.intervalMs;
      if (paidAt <= now + BURST_MS + SLACK_MS) {
        paidAtMs[place] = paidAt;
        return "answer";
      }
      if (isIn(limit.exempt, source)) return "answer";
      paidAtMs[place] = Math.min(paidAt, now + limit.windowMs);
      return refuse(place, limit.slip);
    },
    take(next) {
      limit = compiled(next);
    },
  };
}

/** Milliseconds that mean the same in every thread of the process. */
function sharedMs(): number {
  return performance.now() + SINCE_MS;
}

const SINCE_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Four places in each set: 65,536 in all, of 13 octets each. */
const WAYS = 4;
const SETS = 1 << 14;
const PLACES = SETS * WAYS;
/** What a second allows may come at once. */
const BURST_MS = 1000;
/** Sums of intervals are not exact. */
const SLACK_MS = 1e-3;

interface CompiledLimit {
  readonly intervalMs: number;
  readonly windowMs: number;
  readonly slip: number;
  /** How many octets of an address say the network, and which bits of the last of them. */
  readonly ipv4Octets: number;
  readonly ipv4LastMask: number;
  readonly ipv6Octets: number;
  readonly ipv6LastMask: number;
  readonly exempt: readonly Prefix[];
}

function compiled(settings: RateLimit | undefined): CompiledLimit | undefined {
  if (settings === undefined) return undefined;
  const { responsesPerSecond, windowSeconds, slip, ipv4PrefixLength, ipv6PrefixLength, exempt } = settings;
  return {
    intervalMs: 1000 / responsesPerSecond,
    windowMs: BURST_MS + windowSeconds * 1000,
    slip,
    ipv4Octets: (ipv4PrefixLength + 7) >> 3,
    ipv4LastMask: lastMask(ipv4PrefixLength),
    ipv6Octets: (ipv6PrefixLength + 7) >> 3,
    ipv6LastMask: lastMask(ipv6PrefixLength),
    exempt,
  };
}

function lastMask(prefixLength: number): number {
  return (0xff << ((8 - (prefixLength & 7)) & 7)) & 0xff;
}

function isIn(prefixes: readonly Prefix[], source: Uint8Array): boolean {
  if (prefixes.length === 0) return false;
  const address = { family: source.length === 4 ? 4 : 6, bytes: source } as const;
  return prefixes.some((prefix) => contains(prefix, address));
}

/** A product's low bits know nothing of its factors' high ones: the shift brings those down. */
function mixed(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x9e3779b1);
  return product ^ (product >>> 15);
}
