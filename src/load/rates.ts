import { type Counters, rateOf } from "./counters.ts";
import { type FieldReading, fieldReading } from "./source.ts";

/** Bandwidth from counters of octets. */
export function bandwidthReading(counters: Counters, from: string, names?: readonly string[]): FieldReading {
  const wanted = names ?? Object.keys(counters.values);
  const octets = rateOf(counters, [...wanted]);
  if (octets !== undefined) return fieldReading("bandwidth", octets * 8, from);
  const problem = wanted.length === 0 ? `nothing at ${from}` : gapWords(counters);
  return { field: "bandwidth", from, problem };
}

/** Why counters have no rate. */
export function gapWords({ gap }: Counters): string {
  return gap === undefined ? CHANGED : GAP_WORDS[gap];
}

const CHANGED = "a counter came or went: known again from the next reading on";

const GAP_WORDS: { readonly [gap in NonNullable<Counters["gap"]>]: string } = {
  first: "a rate: known from the second reading on",
  restart: "its counters began anew: known again from the next reading on",
  clock: "its clock jumped: known again from the next reading on",
  frozen: "its figures have stood still for over 30 s: statistics switched off, or a cache in between",
};
