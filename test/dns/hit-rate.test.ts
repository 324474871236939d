import { describe, expect, it } from "vitest";
import { HitRate } from "../../src/dns/hit-rate.ts";

/** How many of so many looks it says are worth taking, where what `isThere` says is found. */
function taken(hitRate: HitRate, looks: number, isThere: (look: number) => boolean): number {
  let count = 0;
  for (let look = 0; look < looks; look++) {
    if (!hitRate.isWorthALook()) continue;
    count++;
    hitRate.found(isThere(look));
  }
  return count;
}

describe("a hit rate", () => {
  it("lets all looks be taken where one in ten finds something", () => {
    expect(taken(new HitRate(), 100_000, (look) => look % 10 === 0)).toBe(100_000);
  });

  it("has hardly more than every 16th taken where nothing is found, however much was before", () => {
    const hitRate = new HitRate();
    taken(hitRate, 100_000, () => true);
    expect(taken(hitRate, 160_000, () => false)).toBeLessThan(10_000 + 1024);
  });

  it("comes back where there is something to be found again", () => {
    const hitRate = new HitRate();
    taken(hitRate, 100_000, () => false);
    taken(hitRate, 1000, () => true);
    expect(taken(hitRate, 1000, () => true)).toBe(1000);
  });
});
