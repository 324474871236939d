import type { ExperienceRules } from "../model/corrections.ts";
import { median } from "./minute.ts";

/** Networks that may say anything without moving anybody. */
const LIARS = 1 / 5;
/** What is left of the others is compared from the middle half on. */
const UPPER = 3 / 4;
/** Edges whose quartiles are closer than this differ by no more than chance. */
const LEAST_RATIO = 1.1;
const KM_PER_DOUBLING = 500;

/**
 * How much further away an edge should look to a group, by what its networks say in one minute: where even the upper
 * quartile of an edge is below the lower quartile of another. Both are taken as if a fifth of the networks had lied
 * for the opposite, so that a fifth that lies can hide a difference, and cannot make one. As much further as the
 * medians differ.
 * @param edges throughputs by edge, ascending
 * @returns kilometres by edge, of those about which enough is known to compare them
 */
export function verdictOn(
  edges: ReadonlyMap<string, readonly number[]>,
  { networks, maxKm }: ExperienceRules,
): Map<string, number> {
  const known = [...edges].filter(([, told]) => told.length >= networks);
  if (known.length < 2) return new Map();
  return new Map(
    known.map(([edge, told]) => {
      const better = known.filter(
        ([other, others]) => other !== edge && lowerQuartile(others) > LEAST_RATIO * upperQuartile(told),
      );
      const ratios = better.map(([, others]) => median(others) / Math.max(1, median(told)));
      const km = ratios.length === 0 ? 0 : KM_PER_DOUBLING * Math.log2(Math.max(...ratios));
      return [edge, Math.min(maxKm, Math.max(0, km))] as const;
    }),
  );
}

/** With all liars at the bottom: the least that it can be. */
function upperQuartile(told: readonly number[]): number {
  const liars = Math.floor(told.length * LIARS);
  const rank = liars + Math.ceil(UPPER * (told.length - liars - 1));
  return told[Math.min(rank, told.length - 1)] as number;
}

/** With all liars at the top: the most that it can be. */
function lowerQuartile(told: readonly number[]): number {
  const liars = Math.floor(told.length * LIARS);
  return told[Math.floor((1 - UPPER) * (told.length - liars - 1))] as number;
}
