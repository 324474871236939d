import { demandOf, ruleNamed, simulate } from "./judge.mjs";

/** A price is compared with the median of so long before and after. */
const WINDOW_SECONDS = 60;
/** It is settled while it is no further from that, in kilometres, */
const BAND_KM = 50;
/** or as a share of it, whichever is more. */
const BAND_SHARE = 0.1;
/** How soon after a step it should be. */
const SOON_SECONDS = 30;

/**
 * How the engine's prices fare after a step. A price that rises or falls to another level for good does not leave the
 * band; one that goes to and fro does.
 * @param {import("./types.ts").Scenario} scenario with its step
 * @param {number} stepAtMs from the end of the warm-up on
 * @returns {Promise<Settling[]>} by edge
 *
 * @typedef {object} Settling
 * @property {string} id
 * @property {number} settlesSeconds how long after the step the price was outside the band for the last time; 0: it
 * never was
 * @property {number} beforeKm furthest from the median before the step
 * @property {number} afterKm the same from 30 s after it on
 * @property {number} priceKm at the end
 */
export async function settlingOf(scenario, stepAtMs) {
  const rule = await ruleNamed("edgeward");
  const demand = demandOf(scenario, scenario.seed);
  /** @type {Float64Array[]} by second */
  const prices = [];
  simulate(
    scenario,
    demand,
    {
      ...rule,
      tick(nowMs) {
        rule.tick(nowMs);
        if (nowMs >= demand.warmUpMs) prices.push(Float64Array.from(rule.pricesKm?.() ?? []));
      },
    },
    scenario.seed,
  );
  return scenario.edges.map(({ id }, edge) => {
    const own = prices.map((all) => all[edge]);
    return { id, ...settling(own, stepAtMs / 1000), priceKm: own[own.length - 1] };
  });
}

/** @param {readonly number[]} priceKm by second @param {number} stepSecond */
export function settling(priceKm, stepSecond) {
  let [settlesSeconds, beforeKm, afterKm] = [0, 0, 0];
  for (let second = 0; second < priceKm.length; second++) {
    const usual = median(priceKm.slice(Math.max(0, second - WINDOW_SECONDS), second + WINDOW_SECONDS + 1));
    const offKm = Math.abs(priceKm[second] - usual);
    if (second < stepSecond) beforeKm = Math.max(beforeKm, offKm);
    if (second >= stepSecond + SOON_SECONDS) afterKm = Math.max(afterKm, offKm);
    if (second >= stepSecond && offKm > Math.max(BAND_KM, BAND_SHARE * usual))
      settlesSeconds = second - stepSecond + 1;
  }
  return { settlesSeconds, beforeKm, afterKm };
}

/** @param {number[]} values */
function median(values) {
  return values.sort((a, b) => a - b)[values.length >> 1];
}
