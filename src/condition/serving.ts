import type { Facts } from "../model/world.ts";

/**
 * Whether the same edges can take viewers as far as that depends on probes, operators and what is full: what else
 * differs, how full they are, moves prices and can wait for them.
 */
export function areAsServing(facts: Facts, others: Facts): boolean {
  if (facts === others) return true;
  if (facts.generation !== others.generation || facts.up.length !== others.up.length) return false;
  return facts.up.every(
    (up, edge) =>
      up === others.up[edge] &&
      facts.state[edge] === others.state[edge] &&
      facts.inDoubt[edge] === others.inDoubt[edge] &&
      isFull(facts, edge) === isFull(others, edge),
  );
}

function isFull({ loadRatio }: Facts, edge: number): boolean {
  return (loadRatio[edge] as number) >= 1;
}
