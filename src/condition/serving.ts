import { isDeepStrictEqual } from "node:util";
import type { Facts } from "../model/world.ts";
import { NEARLY_FULL } from "./load-level.ts";

/**
 * Whether the same edges can take viewers as far as that depends on probes, operators and what is full, nearly full or
 * unknown: what else differs, how full exactly, moves prices and can wait for them.
 */
export function areAsServing(facts: Facts, others: Facts): boolean {
  if (facts === others) return true;
  if (facts.generation !== others.generation || facts.up.length !== others.up.length) return false;
  if (!isDeepStrictEqual(facts.downAddresses, others.downAddresses)) return false;
  return facts.up.every(
    (up, edge) =>
      up === others.up[edge] &&
      facts.state[edge] === others.state[edge] &&
      facts.inDoubt[edge] === others.inDoubt[edge] &&
      levelOf(facts, edge) === levelOf(others, edge),
  );
}

function levelOf({ loadRatio }: Facts, edge: number): number {
  const ratio = loadRatio[edge] as number;
  if (Number.isNaN(ratio)) return -1;
  return ratio < NEARLY_FULL ? 0 : ratio < 1 ? 1 : 2;
}
