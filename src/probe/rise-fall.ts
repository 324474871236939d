import type { Health } from "../model/condition.ts";
import type { ProbeTiming } from "../model/edge.ts";
import type { FailureReason } from "./result.ts";

/** What is thought of one address, and how many results in a row speak against it. */
export interface Verdict {
  readonly health: Health;
  readonly against: number;
  /** Of the last failure, until successes have outweighed it. */
  readonly reason?: FailureReason;
  /** Of that failure. */
  readonly detail?: string;
}

export const NOT_PROBED: Verdict = { health: "unknown", against: 0 };

/**
 * The next verdict; `failure` undefined is a success. The first result decides; later `rise` or `fall` in a row.
 * @param detail of the failure, where there is more to say of it
 */
export function judge(
  verdict: Verdict,
  failure: FailureReason | undefined,
  { rise, fall }: Pick<ProbeTiming, "rise" | "fall">,
  detail?: string,
): Verdict {
  const seen: Health = failure === undefined ? "up" : "down";
  const now: Because = { ...(failure && { reason: failure }), ...(failure && detail && { detail }) };
  const { reason, detail: lastDetail } = verdict;
  const last: Because = { ...(reason && { reason }), ...(lastDetail && { detail: lastDetail }) };
  const because = failure !== undefined || seen === verdict.health ? now : last;
  if (seen === verdict.health) return { health: seen, against: 0, ...because };
  const against = verdict.against + 1;
  const needed = verdict.health === "unknown" ? 1 : seen === "up" ? rise : fall;
  return against >= needed
    ? { health: seen, against: 0, ...now }
    : { health: verdict.health, against, ...because };
}

/** A family is up while any of its addresses is. */
export function together(verdicts: readonly Verdict[]): Verdict {
  const has = (health: Health) => verdicts.find((verdict) => verdict.health === health);
  return has("up") ?? has("unknown") ?? has("down") ?? NOT_PROBED;
}

/** Whether the next results, or fewer than it takes otherwise, may change what `together` says. */
export function isInDoubt(verdicts: readonly Verdict[]): boolean {
  const { health } = together(verdicts);
  const deciding = verdicts.filter((verdict) => verdict.health === health);
  const isShaken = ({ against }: Verdict): boolean => against > 0;
  return health === "up" ? deciding.every(isShaken) : deciding.some(isShaken);
}

type Because = Pick<Verdict, "reason" | "detail">;
