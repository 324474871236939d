import type { Family } from "../model/address.ts";
import type { Health, StateOrigin } from "../model/condition.ts";
import type { AdminState } from "../model/edge.ts";
import type { Log } from "../model/log.ts";
import { NEARLY_FULL } from "./nearly-full.ts";

/** What the log and the event stream tell of an edge. */
export type ConditionChange =
  | {
      readonly kind: "health";
      readonly edgeId: string;
      readonly family: Family;
      readonly from: Health;
      readonly to: Health;
      readonly reason?: string;
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

export type LoadLevel = "unknown" | "room" | "full";

/** The next level: viewers who come and go at the brim are no news. Only for telling, the choice of edges goes by the ratio itself. */
export function levelOf(loadRatio: number, before: LoadLevel): LoadLevel {
  if (Number.isNaN(loadRatio)) return "unknown";
  if (loadRatio >= 1) return "full";
  return before === "full" && loadRatio >= NEARLY_FULL ? "full" : "room";
}

/** An edge that is found up at its first probe is no news: there can be thousands at once. */
export function tellChange(log: Log, change: ConditionChange): void {
  if (change.kind === "health" && change.from === "unknown" && change.to === "up") return;
  const { kind, ...fields } = change;
  const grave = (kind === "health" && change.to === "down") || (kind === "load" && change.to === "full");
  log[grave ? "warn" : "info"](fields, `edge ${kind} changed`);
}
