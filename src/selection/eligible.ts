import type { Edge } from "../model/edge.ts";
import { usedShare } from "./live.ts";
import { STATE_ACTIVE, STATE_OFF, type World } from "../model/world.ts";

/** Where an edge stands before any ranking; everything but `eligible` is the reason of its rejection. */
export type Standing = "eligible" | "off" | "drain" | "down" | "full";

/** The gravest reason wins: an edge that is off is not also called down or full. */
export function standing(edge: Edge, world: World, margin: number): Standing {
  const state = world.state[edge.index];
  if (state === STATE_OFF) return "off";
  if (state !== STATE_ACTIVE) return "drain";
  if (world.up[edge.index] === 0) return "down";
  return usedShare(world, edge.index, margin) >= 1 ? "full" : "eligible";
}
