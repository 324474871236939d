/**
 * How long viewers stay and how many a DNS answer brings, learned from the reports: between two reports of an edge
 *
 *     change − http = answers × viewersPerAnswer − viewerSeconds × departureRate
 *
 * over all edges, by weighted least squares with forgetting, from a guess that counts as a few minutes' worth.
 */
export interface Stays {
  observe(observation: Observation): void;
  /** Departures per viewer and second. */
  readonly departureRate: number;
  readonly viewersPerAnswer: number;
}

export interface Observation {
  /** Growth of the reported viewers. */
  readonly change: number;
  /** Viewers redirected who arrived between the two reports. */
  readonly http: number;
  /** DNS answers whose viewers arrived between the two. */
  readonly answers: number;
  /** Viewers × seconds between the two. */
  readonly viewerSeconds: number;
}

const GUESS = { viewersPerAnswer: 1, departureRate: 1 / 1800 };
/** Weight of the guess, as observed answers and departures. */
const GUESSED_ANSWERS = 300;
const GUESSED_DEPARTURES = 300;
/** Of each observation's weight, with every later one: some 20,000 observations count. */
const KEEP = 1 - 1 / 20_000;
/** A site that fails or a report that lies is no stay. */
const SURPRISE_MAX = 6;

export function createStays(): Stays {
  let [aa, ad, dd, ay, dy] = [0, 0, 0, 0, 0];
  let { viewersPerAnswer, departureRate } = GUESS;
  return {
    get departureRate() {
      return departureRate;
    },
    get viewersPerAnswer() {
      return viewersPerAnswer;
    },
    observe({ change, http, answers, viewerSeconds }) {
      const expected = http + answers * viewersPerAnswer - viewerSeconds * departureRate;
      const variance = 1 + http + answers * viewersPerAnswer + viewerSeconds * departureRate;
      if (!(Math.abs(change - expected) < SURPRISE_MAX * Math.sqrt(variance) + 5)) return;
      const weight = 1 / variance;
      const y = change - http;
      aa = aa * KEEP + weight * answers * answers;
      ad = ad * KEEP - weight * answers * viewerSeconds;
      dd = dd * KEEP + weight * viewerSeconds * viewerSeconds;
      ay = ay * KEEP + weight * answers * y;
      dy = dy * KEEP - weight * viewerSeconds * y;
      // The guess enters as observations with the variance that such counts have.
      const guessedA = GUESSED_ANSWERS;
      const guessedD = GUESSED_DEPARTURES / GUESS.departureRate;
      const a2 = aa + guessedA;
      const d2 = dd + guessedD / GUESS.departureRate;
      const ay2 = ay + guessedA * GUESS.viewersPerAnswer;
      const dy2 = dy + guessedD;
      const determinant = a2 * d2 - ad * ad;
      viewersPerAnswer = clamp((ay2 * d2 - dy2 * ad) / determinant, 0.02, 100);
      departureRate = clamp((dy2 * a2 - ay2 * ad) / determinant, 1 / 36_000, 1 / 20);
    },
  };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
