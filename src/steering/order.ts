import type { Decision } from "../model/decision.ts";
import type { Edge } from "../model/edge.ts";
import { withAlternative } from "./alternatives.ts";

export interface Order {
  /** Best first; none: nobody knows better than the player. */
  readonly edges: readonly Edge[];
  /** The viewer is told to move. */
  readonly isMoving: boolean;
  /** A viewer who comes now would get no edge, or one that is not well. */
  readonly isUnsure: boolean;
}

/**
 * The decision's order, but for who comes second. Where it has no edge, players stay where they are: the decision is
 * about new viewers.
 * @param lot the player's, 0..1
 */
export function orderOf(decision: Decision, current: Edge | undefined, lot: number): Order {
  const choices = withAlternative(decision.edges, lot);
  const edges = choices.length > 0 ? choices.map(({ edge }) => edge) : stayingAt(current);
  const isMoving = current !== undefined && edges[0]?.id !== current.id;
  return { edges, isMoving, isUnsure: decision.outcome.kind !== "edges" };
}

/** For want of a decision. */
export function orderWithout(current: Edge | undefined): Order {
  return { edges: stayingAt(current), isMoving: false, isUnsure: true };
}

function stayingAt(current: Edge | undefined): Edge[] {
  return current === undefined ? [] : [current];
}
