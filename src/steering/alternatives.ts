import type { Choice } from "../model/decision.ts";
import type { Edge } from "../model/edge.ts";

/** Of the room that an edge has: who is redirected meanwhile, or was sent and is not yet there, needs the rest. */
const USABLE_SHARE = 0.5;

/**
 * The choices, with the one second that a player goes to when the first is lost. He asks nobody then, and neither does
 * anyone else who plays there: each of the others, in their order, gets as many of them as it has room for. Where
 * they have too little room, each gets its share. Without capacities or loads the order stays.
 * @param lot the player's, 0..1
 */
export function withAlternative(choices: readonly Choice[], lot: number): readonly Choice[] {
  const [first, ...others] = choices;
  if (first === undefined || others.length < 2) return choices;
  const size = sizeIn(first.edge.capacity.viewers === undefined ? "bandwidth" : "viewers");
  const players = size(first.edge) * first.loadRatio;
  const rooms = others.map(({ edge, loadRatio }) => USABLE_SHARE * size(edge) * Math.max(0, 1 - loadRatio));
  const total = rooms.reduce((sum, room) => sum + room, 0);
  if (!(total > 0 && players > 0)) return choices;
  let left = lot * Math.min(players, total);
  const second = others.find((_, i) => (left -= rooms[i] as number) < 0);
  return second === undefined ? choices : [first, second, ...others.filter((other) => other !== second)];
}

/** NaN where the edge has no such capacity: then it is not known how many it has room for. */
function sizeIn(unit: "viewers" | "bandwidth"): (edge: Edge) => number {
  return ({ capacity }) => capacity[unit] ?? Number.NaN;
}
