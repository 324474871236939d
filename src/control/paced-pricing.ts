import type { Arrivals } from "../pricing/ledger.ts";
import type { Pricing } from "../pricing/pricing.ts";
import { createPacedSteps } from "./paced-steps.ts";

/**
 * Prices that take in what each second brings with pauses: where there is one processor for all, whoever answers
 * waits until this thread sleeps. Whatever else is asked of them has the rest taken in at once.
 */
export interface PacedPricing extends Omit<Pricing, "tick" | "tickInSteps"> {
  /** Begins to, as `Pricing.tick`. */
  tick(arrivals: Iterable<Arrivals>, nowMs: number): void;
  stop(): void;
}

const PAUSE_MS = 2;

/** @param onTicked all was taken in with pauses; nobody has asked for it meanwhile */
export function createPacedPricing(pricing: Pricing, onTicked: () => void): PacedPricing {
  const takingIn = createPacedSteps(PAUSE_MS, onTicked);
  const settled = (): Pricing => {
    takingIn.finish();
    return pricing;
  };
  return {
    take: (edges, services) => settled().take(edges, services),
    begin: () => settled().begin(),
    memory: () => settled().memory(),
    remember: (learned) => settled().remember(learned),
    world: (facts, nowMs) => settled().world(facts, nowMs),
    tick: (arrivals, nowMs) => takingIn.begin(() => pricing.tickInSteps(arrivals, nowMs)),
    stop: takingIn.stop,
  };
}
