import type { Broadcast } from "../base/broadcast.ts";
import { type Board, createBoard } from "../condition/board.ts";
import { type ConditionChange, tellChange } from "../condition/change.ts";
import { createFailStatic, type FailStatic } from "../condition/fail-static.ts";
import { createSavedOverrides, type SavedOverrides } from "../condition/saved-overrides.ts";
import { createStateFile } from "../condition/state-file.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource } from "../model/metrics.ts";
import type { Facts } from "../model/world.ts";
import type { OpsEvent } from "../ops/api.ts";
import { inOneTurn, type Settle } from "./reloads.ts";

/** What is known of the edges, which of it is not believed, and what operators said, which outlasts a restart. */
export interface Conditions {
  readonly board: Board;
  readonly failStatic: FailStatic;
  readonly saved: SavedOverrides;
  readonly settle: Settle;
  readonly metrics: readonly MetricSource[];
  stop(): void;
}

export interface ConditionsOptions {
  readonly inventory: Inventory;
  readonly log: Log;
  readonly events: Broadcast<OpsEvent>;
  /** As of the board; never before `createConditions` has returned. */
  readonly onFacts: (facts: Facts) => void;
  /** Whom services go on sending viewers to, against what probes say, has changed. */
  readonly onKept: () => void;
}

/** Resolves when the state file is read and the inventory is taken. */
export async function createConditions(options: ConditionsOptions): Promise<Conditions> {
  const { inventory, log, events, onFacts, onKept } = options;
  const stateFile = createStateFile(inventory.stateFile, log);
  const overrides = await stateFile.read();
  const failStatic = createFailStatic({
    log,
    isActive: (edgeId) => board.isActive(edgeId),
    onChange: onKept,
  });
  const onChange = (change: ConditionChange): void => {
    tellChange(log, change);
    if (change.kind === "state") failStatic.stateChanged();
    if (!events.isHeard()) return;
    const condition = board.condition(change.edgeId);
    if (condition !== undefined) events.emit({ kind: "condition", atMs: Date.now(), condition });
  };
  const saved = createSavedOverrides({ stateFile, overrides: () => board.overrides(), log });
  const board = createBoard({ overrides, onChange, onFacts, onOverrides: () => void saved.save() });
  board.take(inventory);
  failStatic.take(inventory);
  return {
    board,
    failStatic,
    saved,
    settle: [inOneTurn((next) => board.take(next)), inOneTurn((next) => failStatic.take(next))],
    metrics: [board.metrics, failStatic.metrics, saved.metrics],
    stop() {
      saved.stop();
      board.stop();
      failStatic.stop();
    },
  };
}
