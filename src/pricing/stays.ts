/**
 * How long viewers stay and how many a DNS answer brings, learned from the reports: between two reports of an edge
 *
 *     change − certain = answers × viewersPerAnswer − viewerSeconds × departureRate
 *
 * over all edges, by weighted least squares with forgetting, from a guess that counts as a few minutes' worth.
 */
export interface Stays {
  observe(observation: Observation): void;
  /** All that was learned, */
  memory(): readonly number[];
  /** and that from elsewhere, in place of what was learned here. */
  remember(memory: readonly number[]): void;
  /** Departures per viewer and second. */
  readonly departureRate: number;
  readonly viewersPerAnswer: number;
}

export interface Observation {
  /** Growth of the reported viewers. */
  readonly change: number;
  /** Viewers who arrived between the two reports, whatever an answer brings. */
  readonly certain: number;
  /** DNS answers whose other viewers arrived between the two. */
  readonly answers: number;
  /** Viewers × seconds between the two. */
  readonly viewerSeconds: number;
}

const GUESS = { viewersPerAnswer: 1, departureRate: 1 / 1800 };
/** Weight of the guess, as observed answers and departures. */
const GUESSED_ANSWERS = 300;
const GUESSED_DEPARTURES = 300;
/** Of each observation's weight, with every later one: some 4,000 observations count. */
const KEEP = 1 - 1 / 4000;
/** In standard deviations: a site that fails, or a report that lies, says nothing of stays. */
const SURPRISE_MAX = 6;
/** Nor is every small number chance. */
const SURPRISE_VIEWERS = 5;
/** Where this share of the last reports is a surprise, it is the guess that is wrong, and what they show is learned. */
const WRONG_SHARE = 0.5;
/** So many reports count for that: more than one loss of everything takes. */
const SHARE_OBSERVATIONS = 200;
/** An answer may bring hardly anybody: monitors ask, and resolvers without a cache. */
const VIEWERS_PER_ANSWER_MIN = 0.001;

export function createStays(): Stays {
  // Normal equations: a is viewersPerAnswer, d is departureRate.
  let [aa, ad, dd, ay, dy] = [0, 0, 0, 0, 0];
  let { viewersPerAnswer, departureRate } = GUESS;
  /** Share of reports that are a surprise. */
  let surprises = 0;

  const solve = (): void => {
    // The guess enters like observations of as many answers and departures.
    const aaWithGuess = aa + GUESSED_ANSWERS;
    const ayWithGuess = ay + GUESSED_ANSWERS * GUESS.viewersPerAnswer;
    const ddWithGuess = dd + GUESSED_DEPARTURES / GUESS.departureRate ** 2;
    const dyWithGuess = dy + GUESSED_DEPARTURES / GUESS.departureRate;
    const determinant = aaWithGuess * ddWithGuess - ad * ad;
    viewersPerAnswer = clamp(
      (ayWithGuess * ddWithGuess - dyWithGuess * ad) / determinant,
      VIEWERS_PER_ANSWER_MIN,
      100,
    );
    departureRate = clamp((dyWithGuess * aaWithGuess - ayWithGuess * ad) / determinant, 1 / 36_000, 1 / 20);
  };

  return {
    get departureRate() {
      return departureRate;
    },
    get viewersPerAnswer() {
      return viewersPerAnswer;
    },
    memory: () => [aa, ad, dd, ay, dy],
    remember(memory) {
      if (memory.length !== 5 || !memory.every(Number.isFinite)) return;
      [aa, ad, dd, ay, dy] = memory as [number, number, number, number, number];
      solve();
    },
    observe({ change, certain, answers, viewerSeconds }) {
      const came = certain + answers * viewersPerAnswer;
      const left = viewerSeconds * departureRate;
      const variance = 1 + came + left;
      const missing = Math.abs(change - came + left);
      if (!Number.isFinite(missing)) return;
      const isSurprise = missing >= SURPRISE_MAX * Math.sqrt(variance) + SURPRISE_VIEWERS;
      surprises += ((isSurprise ? 1 : 0) - surprises) / SHARE_OBSERVATIONS;
      if (isSurprise && surprises < WRONG_SHARE) return;
      const weight = 1 / variance;
      const unexplained = change - certain;
      aa = aa * KEEP + weight * answers * answers;
      ad = ad * KEEP - weight * answers * viewerSeconds;
      dd = dd * KEEP + weight * viewerSeconds * viewerSeconds;
      ay = ay * KEEP + weight * answers * unexplained;
      dy = dy * KEEP - weight * viewerSeconds * unexplained;
      solve();
    },
  };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
