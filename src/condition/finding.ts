import type { Family } from "../model/address.ts";
import type { Health } from "../model/condition.ts";

/** What probes say of one family of one edge. */
export interface Finding {
  readonly edgeId: string;
  readonly family: Family;
  readonly health: Health;
  /** Of the last failure, which may not have brought it down yet. */
  readonly reason?: string;
  /** Monotonic, of the first failure after the last success; absent while probes succeed, and where none ever did. */
  readonly lostAtMs?: number;
}

export const FAMILIES: readonly Family[] = [4, 6];

/** Of an edge in one family. */
export function keyOf(edgeId: string, family: Family): string {
  return `${edgeId} ${family}`;
}

/** @param reason of the last failure, which may not have brought it down */
export function findingOf(
  before: Finding | undefined,
  now: Omit<Finding, "reason" | "lostAtMs">,
  reason: string | undefined,
  nowMs: number,
): Finding {
  const said = reason === undefined ? now : { ...now, reason };
  if (now.health === "up" && reason === undefined) return said;
  const lostAtMs = before !== undefined && isGood(before) ? nowMs : before?.lostAtMs;
  return lostAtMs === undefined ? said : { ...said, lostAtMs };
}

export function isGood({ health, lostAtMs }: Finding): boolean {
  return health === "up" && lostAtMs === undefined;
}

/** The last probe succeeded, or whoever was asked said no. */
export function isHeard(finding: Finding): boolean {
  const isFine = finding.health === "up" && finding.reason === undefined;
  return isFine || isAnswered(finding);
}

/** Whether the edge's machine said anything: then our network reaches it. */
export function isAnswered({ reason = "" }: Pick<Finding, "reason">): boolean {
  return !UNANSWERED.has(reason);
}

const UNANSWERED: ReadonlySet<string> = new Set([
  "",
  "timeout",
  "unreachable",
  "resolve",
  "local",
  "cancelled",
  "forbidden-address",
]);
