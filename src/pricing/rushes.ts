import type { Arrivals } from "./ledger.ts";
import type { Returned } from "./returns.ts";
import { askersKey, squareKey } from "./squares.ts";

/**
 * How many times as many viewers as usual come from a part of the world, judged by those of HTTP, of whom each is
 * counted: a resolver that answers from its cache brings as many times more, and nobody sees them come.
 */
export interface Rushes {
  /** Decisions since `pass`. Who comes back after a loss is expected, and no rush. */
  add(arrivals: Arrivals, returned: Returned): void;
  /** All since the last call have been added. */
  pass(nowMs: number): void;
  /** 1: as usual; never less. */
  at(area: number, atMs: number): number;
  /** Its mean over some time; of what is yet to come it is as it is, or as it grows. */
  between(area: number, fromMs: number, toMs: number): number;
}

/** Of areas, in degrees. */
const AREA_DEGREES = 30;
/** A rush is what has come within about this time, */
const RUSH_SECONDS = 3;
/** beside what comes in this, in which a rush is not taken for usual at once. */
const USUAL_SECONDS = 240;
const USUAL_GROWTH = 2;
const RUSH_MAX = 50;
/** A rush so great that grows is taken to grow for as long again, up to so long: what is answered now is cached while it does. */
const GREAT = 4;
const GROWTH_MAX_SECONDS = 10;
/** After so long it is no chance: how great it is counts, not how great it is at least. */
const SURE_SECONDS = 10;
/** Less than this, one in some seconds, is too few to be a multiple of. */
const FEW = 1 / (2 * RUSH_SECONDS);
/** Before that nothing is usual. */
const FIRST_SECONDS = 60;
/** Chance alone is no rush, in standard deviations. */
const SURPRISE = 3;
const KEEP_SAMPLES = 120;

export function areaOf(pool: number, latitude: number, longitude: number): number {
  return squareKey(pool, latitude, longitude, AREA_DEGREES);
}

export function createRushes(): Rushes {
  const areas = new Map<number, Area>();
  /** Oldest first. */
  let samples: Sample[] = [];
  let firstMs: number | undefined;

  /** The last sample up to then, or the first. */
  const before = (atMs: number): Sample | undefined => {
    let [low, high] = [0, samples.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((samples[middle] as Sample).atMs > atMs) high = middle - 1;
      else low = middle;
    }
    return samples[low];
  };
  /** After the sample: of the last one, as far as it is expected to grow. */
  const factorIn = (sample: Sample | undefined, area: number): number => {
    const ahead = sample === samples.at(-1) ? sample?.ahead.get(area) : undefined;
    return ahead ?? sample?.factors.get(area) ?? 1;
  };
  const sumBy = (area: number, atMs: number): number => {
    const sample = before(atMs);
    if (sample === undefined) return atMs;
    return atMs + (sample.sums.get(area) ?? 0) + (factorIn(sample, area) - 1) * (atMs - sample.atMs);
  };

  return {
    add(arrivals, returned) {
      for (const [pool, byPlace] of arrivals.entries())
        for (const [{ latitude = 0, longitude = 0 }, byEdge] of byPlace) {
          const key = areaOf(pool, latitude, longitude);
          const area = areas.get(key) ?? { ...QUIET };
          areas.set(key, area);
          const { httpShare = 0 } =
            returned.get(askersKey(squareKey(pool, latitude, longitude), false)) ?? {};
          for (const { http } of byEdge.values()) area.came += http * (1 - httpShare);
        }
    },
    pass(nowMs) {
      const seconds = (nowMs - (samples.at(-1)?.atMs ?? nowMs - 1000)) / 1000;
      if (seconds <= 0) return;
      firstMs ??= nowMs;
      const isYoung = nowMs - firstMs < FIRST_SECONDS * 1000;
      for (const area of areas.values()) takeSecond(area, seconds, isYoung);
      const factors = new Map<number, number>();
      const ahead = new Map<number, number>();
      for (const [key, area] of areas) {
        const factor = isYoung ? 1 : factorOf(area, area.fast);
        area.rushedSeconds = factor > 1 ? area.rushedSeconds + seconds : 0;
        if (factor > 1) area.rushedAtMs = nowMs;
        factors.set(key, factor);
        if (factor > GREAT) ahead.set(key, factorOf(area, expectedIn(area)));
      }
      samples.push(sampleOf(samples.at(-1), nowMs, factors, ahead));
      if (samples.length > 2 * KEEP_SAMPLES) samples = samples.slice(-KEEP_SAMPLES);
    },
    at: (area, atMs) => factorIn(before(atMs), area),
    between(area, fromMs, toMs) {
      if (toMs <= fromMs || (areas.get(area)?.rushedAtMs ?? Number.NEGATIVE_INFINITY) < fromMs) return 1;
      return (sumBy(area, toMs) - sumBy(area, fromMs)) / (toMs - fromMs);
    },
  };
}

interface Sample {
  readonly atMs: number;
  /** By area, of the time since the sample before. */
  readonly factors: ReadonlyMap<number, number>;
  /** By area, of the time to come; left out: as it is. */
  readonly ahead: ReadonlyMap<number, number>;
  /** By area: factors × milliseconds up to this moment, beyond 1. */
  readonly sums: ReadonlyMap<number, number>;
}

function sampleOf(
  last: Sample | undefined,
  atMs: number,
  factors: ReadonlyMap<number, number>,
  ahead: ReadonlyMap<number, number>,
): Sample {
  if (last === undefined) return { atMs, factors, ahead, sums: new Map() };
  const sums = new Map(last.sums);
  for (const [area, factor] of factors)
    if (factor > 1) sums.set(area, (sums.get(area) ?? 0) + (factor - 1) * (atMs - last.atMs));
  return { atMs, factors, ahead, sums };
}

/** Arrivals per second. */
interface Area {
  /** Not yet taken. */
  came: number;
  fast: number;
  usual: number;
  /** How much `fast` grows per second, over about as long as it looks back, */
  growth: number;
  /** and for how long it has grown. */
  grownSeconds: number;
  /** For how long it has been more than usual, */
  rushedSeconds: number;
  /** and when it was so last. */
  rushedAtMs: number;
}

const QUIET: Area = {
  came: 0,
  fast: 0,
  usual: 0,
  growth: 0,
  grownSeconds: 0,
  rushedSeconds: 0,
  rushedAtMs: Number.NEGATIVE_INFINITY,
};

function takeSecond(area: Area, seconds: number, isYoung: boolean): void {
  const rate = area.came / seconds;
  area.came = 0;
  const [before, share] = [area.fast, 1 - Math.exp(-seconds / RUSH_SECONDS)];
  area.fast += (rate - area.fast) * share;
  area.growth += ((area.fast - before) / seconds - area.growth) * share;
  area.grownSeconds = area.fast > before ? area.grownSeconds + seconds : 0;
  const span = isYoung ? FIRST_SECONDS / 4 : USUAL_SECONDS;
  const believed = isYoung ? rate : Math.min(rate, area.usual * USUAL_GROWTH + 1 / USUAL_SECONDS);
  area.usual += (believed - area.usual) * (1 - Math.exp(-seconds / span));
}

/** What `fast` is late by is as long as it looks back. */
function expectedIn({ fast, growth, grownSeconds }: Area): number {
  return fast + Math.max(0, growth) * (RUSH_SECONDS + Math.min(GROWTH_MAX_SECONDS, grownSeconds));
}

function factorOf({ usual, rushedSeconds }: Area, rate: number): number {
  const chance = SURPRISE * Math.sqrt(usual / (2 * RUSH_SECONDS)) + SURPRISE / (2 * RUSH_SECONDS);
  const factor = rushedSeconds < SURE_SECONDS ? rate / (usual + chance) : (rate - chance) / (usual + FEW);
  return Math.min(RUSH_MAX, Math.max(1, factor));
}
