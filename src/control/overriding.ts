/** An operator's word on the state of an edge, from the command until it holds and outlasts a restart. */
import type { Board } from "../condition/board.ts";
import type { SavedOverrides } from "../condition/saved-overrides.ts";
import type { Condition } from "../model/condition.ts";
import type { Edge } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import type { OpsApi } from "../ops/api.ts";
import type { Worlds } from "./worlds.ts";

export interface OverridingOptions {
  readonly inventory: () => Inventory;
  readonly board: Pick<Board, "condition" | "isActive" | "setState">;
  /** Told of a change before whoever asked is. */
  readonly drains: { readonly refresh: () => void };
  /** As `drains`. */
  readonly worlds: Pick<Worlds, "refresh">;
  readonly saved: Pick<SavedOverrides, "save">;
}

/** @returns what `OpsApi.setState` does */
export function createOverriding(options: OverridingOptions): OpsApi["setState"] {
  const { inventory, board, drains, worlds, saved } = options;
  return async (edgeId, change, by) => {
    const replaced = operatorsWord(board.condition(edgeId));
    const done = board.setState(edgeId, { ...change, by });
    if (done === "unknown-edge") return { kind: done };
    if (done === "forgotten") return { kind: done, persisted: await saved.save() };
    // It is said to hold when it holds: the doors are told before the file is written, not with the next news.
    drains.refresh();
    worlds.refresh();
    const persisted = await saved.save();
    const condition = board.condition(edgeId);
    if (condition === undefined) return { kind: "unknown-edge" };
    const unserved = unservedBy(edgeId, inventory(), board);
    return {
      kind: "set",
      persisted,
      condition,
      ...(replaced && { replaced }),
      ...(unserved.length === 0 ? {} : { unserved }),
    };
  };
}

function operatorsWord(
  condition: Condition | undefined,
): Pick<Condition, "state" | "stateOrigin"> | undefined {
  if (condition?.stateOrigin.kind !== "operator") return undefined;
  const { state, stateOrigin } = condition;
  return { state, stateOrigin };
}

/** Ids of the edge's services of which no edge takes new viewers now, by its administrative state. */
function unservedBy(
  edgeId: string,
  { edges, services }: Inventory,
  board: Pick<Board, "isActive">,
): string[] {
  const its = services.map(({ id: service, edges: indices }) => ({
    service,
    ids: indices.map((index) => (edges[index] as Edge).id),
  }));
  return its.flatMap(({ service, ids }) =>
    ids.includes(edgeId) && !ids.some((id) => board.isActive(id)) ? [service] : [],
  );
}
