import type { Client } from "../model/client.ts";
import type { Decision } from "../model/decision.ts";
import type { Widen } from "../model/location.ts";
import { createLooks } from "./looks.ts";
import { goesByPlace, isExact } from "./place-verdicts.ts";
import { isSameForAll } from "./same-for-all.ts";
import type { Sight } from "./sights.ts";

/**
 * Networks around the client's that are decided alike may share an answer: it is looked for as far as there is time.
 */
export interface Widening {
  /** @returns how long the prefix may be; 0 in `triesLeft` once that is the end of it */
  readonly widened: (decision: Decision, client: Client, sight: Sight, from: Scope) => Scope;
  /** The same in a moment longer than a query has. */
  readonly widest: (decision: Decision, client: Client, sight: Sight) => Scope;
  readonly isTimeLeft: () => boolean;
  /** All of the time is there: as in the beginning. */
  readonly begin: () => void;
}

/** How far a decision holds, and how often that may still be found to be further. */
export interface Scope {
  readonly prefixLength: number;
  readonly triesLeft: number;
}

export function scopeOf({ location, scopePrefixLength }: Decision): Scope {
  return { prefixLength: scopePrefixLength, triesLeft: isExact(location) ? WIDENING_TRIES : 0 };
}

export function createWidening(widen: Widen, monotonicMs: () => number): Widening {
  const looks = createLooks(monotonicMs);

  const widenedWith = (
    decision: Decision,
    client: Client,
    { roster, world }: Sight,
    from: Scope,
    most: number,
  ): Scope => {
    if (isSameForAll(roster)) return { prefixLength: 0, triesLeft: 0 };
    const left = from.triesLeft === 0 ? 0 : Math.min(most, looks.left());
    if (left <= 0) return from;
    if (client.prefixLength === 0 || !goesByPlace(decision, roster, world)) return { ...from, triesLeft: 0 };
    const looksPerStep = LOOKS_BESIDE_EDGES + roster.listed.length;
    const steps = Math.ceil(left / looksPerStep);
    const found = widen(client, roster.verdicts.in(world), steps);
    const { prefixLength = from.prefixLength, isFinal = true } = found ?? {};
    looks.take(LOOKS_BESIDE_EDGES + (found?.steps ?? 0) * looksPerStep);
    return {
      prefixLength: Math.min(prefixLength, from.prefixLength),
      triesLeft: isFinal ? 0 : from.triesLeft - 1,
    };
  };

  return {
    widened: (decision, client, sight, from) =>
      widenedWith(decision, client, sight, from, LOOKS_PER_DECISION),
    widest(decision, client, sight) {
      const giveBack = looks.lend(LOOKS_TO_EXPLAIN);
      const scope = widenedWith(decision, client, sight, scopeOf(decision), LOOKS_TO_EXPLAIN);
      giveBack();
      return scope;
    },
    isTimeLeft: () => looks.left() > 0,
    begin: () => looks.begin(),
  };
}

export const WIDENING_TRIES = 4;
/**
 * What a step of widening costs is counted in looks at edges: it measures the distance to each, and does other
 * things.
 */
const LOOKS_BESIDE_EDGES = 16;
/** About 100 microseconds, however many edges there are. */
const LOOKS_PER_DECISION = 3600;
const LOOKS_TO_EXPLAIN = 1_000_000;
