import { describe, expect, it } from "vitest";
import { parsePrefix } from "../../src/base/address.ts";
import { createRateLimiter, newRateTable, type RateVerdict } from "../../src/dns/rate-limit.ts";
import type { RateLimit } from "../../src/model/dns-settings.ts";
import { rateLimitOf } from "./fixture.ts";
import type { Prefix } from "../../src/model/address.ts";

const LIMIT = rateLimitOf(50);
const CLASS = 7 << 16;

function limiter(limit: Partial<RateLimit> = {}) {
  const table = newRateTable(Int32Array.of(123, 456));
  const time = { ms: 1e6 };
  const made = createRateLimiter(table, { ...LIMIT, ...limit }, () => time.ms);
  return { ...made, time, table };
}

/** @returns how many of each verdict `count` responses get, `everyMs` apart */
function flood(
  { judge, time }: Pick<ReturnType<typeof limiter>, "judge" | "time">,
  { source = ipv4(1, 1), count = 2000, everyMs = 2.5, kind = CLASS } = {},
): Record<RateVerdict, number> {
  const counts = { answer: 0, truncate: 0, drop: 0 };
  for (let i = 0; i < count; i++) {
    counts[judge(source, kind)]++;
    time.ms += everyMs;
  }
  return counts;
}

function ipv4(network: number, host: number): Uint8Array {
  return Uint8Array.of(198, network >> 8, network & 0xff, host);
}

function ipv6(subnet: number, host = 1): Uint8Array {
  return Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, subnet >> 8, subnet & 0xff, 0, 0, 0, 0, 0, 0, 0, host);
}

describe("the response rate limit", () => {
  it("answers a second's worth, then truncates every second response and drops the others", () => {
    // 400 a second for 5 s: the first 50 at once, and while these last, those that the rate adds.
    expect(flood(limiter())).toEqual({ answer: 57, truncate: 971, drop: 972 });
  });

  it("lets who keeps to the rate have every answer", () => {
    expect(flood(limiter(), { everyMs: 20 })).toEqual({ answer: 2000, truncate: 0, drop: 0 });
  });

  it.each([
    [0, { answer: 50, truncate: 0, drop: 50 }],
    [1, { answer: 50, truncate: 50, drop: 0 }],
    [5, { answer: 50, truncate: 10, drop: 40 }],
  ])("with slip %i", (slip, expected) => {
    expect(flood(limiter({ slip }), { count: 100, everyMs: 0 })).toEqual(expected);
  });

  it("keeps who asked far too much waiting for the window, and no longer", () => {
    const limited = limiter();
    flood(limited, { count: 100_000, everyMs: 0 });
    limited.time.ms += 15_000 - 1;
    expect(limited.judge(ipv4(1, 1), CLASS)).not.toBe("answer");
    limited.time.ms += 50;
    expect(limited.judge(ipv4(1, 1), CLASS)).toBe("answer");
  });

  it("counts a network's addresses together, other networks and other classes apart", () => {
    const limited = limiter();
    flood(limited, { count: 60, everyMs: 0 });
    expect(limited.judge(ipv4(1, 250), CLASS)).not.toBe("answer");
    expect(limited.judge(ipv4(2, 1), CLASS)).toBe("answer");
    expect(limited.judge(ipv4(1, 1), CLASS + 1)).toBe("answer");
    flood(limited, { source: ipv6(0x0100), count: 60, everyMs: 0 });
    expect(limited.judge(ipv6(0x01ff, 9), CLASS)).not.toBe("answer");
    expect(limited.judge(ipv6(0x0200), CLASS)).toBe("answer");
  });

  it.each([
    [30, 0b11, 0b100],
    [32, 0, 1],
    [1, 127, 128],
  ])("IPv4 networks of /%i", (ipv4PrefixLength, inside, outside) => {
    const limited = limiter({ ipv4PrefixLength });
    const at = (last: number) =>
      ipv4PrefixLength === 1 ? Uint8Array.of(last, 9, 9, 9) : Uint8Array.of(192, 0, 2, last);
    flood(limited, { source: at(0), count: 60, everyMs: 0 });
    expect(limited.judge(at(inside), CLASS)).not.toBe("answer");
    expect(limited.judge(at(outside), CLASS)).toBe("answer");
  });

  it("answers exempt networks whatever they ask", () => {
    const exempt = [parsePrefix("198.0.1.0/25"), parsePrefix("2001:db8::/48")] as Prefix[];
    const limited = limiter({ exempt });
    expect(flood(limited).answer).toBe(2000);
    expect(flood(limited, { source: ipv6(1) }).answer).toBe(2000);
    expect(flood(limited, { source: ipv4(1, 128) }).answer).toBe(57);
  });

  it("remembers who is limited through a flood from a million other networks", () => {
    const limited = limiter();
    flood(limited, { count: 500, everyMs: 0 });
    for (let i = 0; i < 1_000_000; i++)
      limited.judge(Uint8Array.of(10 + (i >> 16), (i >> 8) & 0xff, i & 0xff, 1), CLASS);
    expect(limited.judge(ipv4(1, 1), CLASS)).not.toBe("answer");
    expect(limited.table.tags).toHaveLength(65_536);
  });

  it("is one for all who share a table", () => {
    const one = limiter();
    const other = createRateLimiter(one.table, LIMIT, () => one.time.ms);
    flood(one, { count: 50, everyMs: 0 });
    expect(other.judge(ipv4(1, 1), CLASS)).not.toBe("answer");
  });

  it("takes other settings, and none", () => {
    const limited = limiter();
    flood(limited, { count: 60, everyMs: 0 });
    limited.take(undefined);
    expect(limited.judge(ipv4(1, 1), CLASS)).toBe("answer");
    limited.take({ ...LIMIT, slip: 1 });
    expect(limited.judge(ipv4(1, 1), CLASS)).toBe("truncate");
  });
});
