import { readFileSync } from "node:fs";
import { LOAD_CORE, SERVER_CORE } from "./process.mjs";

/** A virtual machine whose time is used up stands still for as much as a tenth of a second, and every query with it. */
const MOST_STOLEN_MS = 50;
const MOST_REPEATS = 4;
const TICK_MS = 10;
/** Of a processor's line in /proc/stat, its name among them (proc(5)). */
const STEAL_FIELD = 8;

/**
 * How long each of the two cores that are measured on has waited for the machine beneath, since it started; 0 where
 * that is not told.
 */
function stolenMs() {
  const lines = readFileSync("/proc/stat", "latin1").split("\n");
  return [SERVER_CORE, LOAD_CORE].map((core) => {
    const fields = lines.find((line) => line.startsWith(`cpu${core} `))?.split(/\s+/) ?? [];
    return Number(fields[STEAL_FIELD] ?? 0) * TICK_MS;
  });
}

let repeats = 0;

/**
 * Measures again, four times at most, where more than 50 ms were taken from one of the cores meanwhile.
 * @template T
 * @param {() => Promise<T>} measure
 * @returns {Promise<T>}
 */
export async function undisturbed(measure) {
  for (let attempt = 0; ; attempt++) {
    const before = stolenMs();
    const found = await measure();
    const isDisturbed = stolenMs().some((ms, i) => ms - (before[i] ?? 0) > MOST_STOLEN_MS);
    if (!isDisturbed || attempt === MOST_REPEATS) return found;
    repeats++;
  }
}

/** @returns {string[]} what is to be said of it beside the figures, if anything */
export function stolenNotes() {
  if (repeats === 0) return [];
  return [
    `${repeats} rounds were measured again, because the virtual machine was stopped for more than ${MOST_STOLEN_MS} ms meanwhile.`,
  ];
}
