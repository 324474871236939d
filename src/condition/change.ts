import type { Family } from "../model/address.ts";
import type { Health, StateOrigin } from "../model/condition.ts";
import type { AdminState } from "../model/edge.ts";
import type { Log } from "../model/log.ts";
import type { Entry } from "./entry.ts";
import type { LoadLevel } from "./load-level.ts";

/** What the log and the event stream tell of an edge. */
export type ConditionChange =
  | {
      readonly kind: "health";
      readonly edgeId: string;
      readonly family: Family;
      readonly from: Health;
      readonly to: Health;
      readonly reason?: string;
      readonly detail?: string;
    }
  | {
      readonly kind: "load";
      readonly edgeId: string;
      readonly from: LoadLevel;
      readonly to: LoadLevel;
      /** Absent when unknown. */
      readonly loadRatio?: number;
    }
  | {
      readonly kind: "state";
      readonly edgeId: string;
      readonly from: AdminState;
      readonly to: AdminState;
      readonly origin: StateOrigin;
    };

/** What has changed of an edge, by what was known of it before. */
export function* changesBetween(before: Entry, next: Entry): Generator<ConditionChange> {
  const { id: edgeId } = next.edge;
  for (const { family, health, reason, detail } of next.health) {
    const from = before.health.find((known) => known.family === family)?.health ?? "unknown";
    if (from === health) continue;
    const change = { kind: "health", edgeId, family, from, to: health } as const;
    yield { ...change, ...(reason && { reason }), ...(detail && { detail }) };
  }
  const { level, loadRatio } = next.view;
  if (before.view.level !== level) {
    const change = { kind: "load", edgeId, from: before.view.level, to: level } as const;
    yield Number.isNaN(loadRatio) ? change : { ...change, loadRatio };
  }
  const { state: to, origin } = next.view.effective;
  const { state: from } = before.view.effective;
  if (from !== to || before.override !== next.override) yield { kind: "state", edgeId, from, to, origin };
}

/** An edge that is found up at its first probe is no news: there can be thousands at once. */
export function tellChange(log: Log, change: ConditionChange): void {
  if (change.kind === "health" && change.from === "unknown" && change.to === "up") return;
  const { kind, edgeId: edge, ...fields } = change;
  const grave = (kind === "health" && change.to === "down") || (kind === "load" && change.to === "full");
  log[grave ? "warn" : "info"]({ edge, ...fields }, `edge ${kind} changed`);
}
