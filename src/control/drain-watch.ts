/** Tells the drains what there is to know of the edges that drain. */
import type { Board } from "../condition/board.ts";
import type { Draining, Drains } from "../draining/drains.ts";
import type { Condition } from "../model/condition.ts";
import type { Edge } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import { type Facts, STATE_ACTIVE, STATE_DRAIN } from "../model/world.ts";

const TICK_MS = 1000;

export interface DrainWatch {
  /** Something has changed that is not to wait for the next second. */
  refresh(): void;
  stop(): void;
}

export function watchDrains(board: Board, drains: Drains, inventory: () => Inventory): DrainWatch {
  const tick = (): void => {
    const facts = board.facts();
    const draining = facts.state.includes(STATE_DRAIN)
      ? drainingNow(board.conditions(), facts, inventory())
      : [];
    drains.tick(draining, { wallMs: Date.now(), monotonicMs: performance.now() });
  };
  tick();
  const timer = setInterval(tick, TICK_MS);
  return { refresh: tick, stop: () => clearInterval(timer) };
}

function drainingNow(conditions: readonly Condition[], facts: Facts, inventory: Inventory): Draining[] {
  const byId = new Map(inventory.edges.map((edge) => [edge.id, edge]));
  return conditions.flatMap((condition) => {
    const edge = byId.get(condition.edgeId);
    return condition.state !== "drain" || edge === undefined
      ? []
      : [drainingOf(condition, edge, facts, inventory)];
  });
}

function drainingOf(
  { stateOrigin, load }: Condition,
  edge: Edge,
  facts: Facts,
  { services }: Inventory,
): Draining {
  const its = services.filter(({ edges }) => edges.includes(edge.index));
  const others = new Set(its.flatMap(({ edges }) => edges).filter((index) => index !== edge.index));
  const keptForSeconds = its.map(({ dns, http }) => Math.max(dns.ttlSeconds, http.stickinessSeconds));
  const operator = stateOrigin.kind === "operator" ? stateOrigin : undefined;
  return {
    edgeId: edge.id,
    ...(operator === undefined ? {} : { sinceMs: operator.atMs }),
    ...(operator?.deadlineMs === undefined ? {} : { deadlineMs: operator.deadlineMs }),
    ...(load.viewers === undefined ? {} : { viewers: load.viewers }),
    room: [...others].reduce((sum, index) => sum + roomAt(index, facts), 0),
    keptForMs: Math.max(0, ...keptForSeconds) * 1000,
  };
}

/** Viewers that an edge can still take; Infinity where no limit or no load is known. */
function roomAt(index: number, { up, state, loadRatio, perViewer }: Facts): number {
  if (up[index] === 0 || state[index] !== STATE_ACTIVE) return 0;
  const [ratio, each] = [loadRatio[index] as number, perViewer[index] as number];
  return Number.isNaN(ratio) || each === 0 ? Number.POSITIVE_INFINITY : Math.max(0, (1 - ratio) / each);
}
