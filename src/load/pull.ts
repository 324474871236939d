import type { Clock } from "../base/clock.ts";
import type { Reach } from "../base/reach.ts";
import type { LoadReport } from "../model/condition.ts";
import { fetchReply, PullError } from "./fetch.ts";
import { sourceTypeOf } from "./registry.ts";
import { type FieldReading, type PolledLoad, type Reading, type Replies, reportFrom } from "./source.ts";

/** What one read of a source gave. */
export type Pulled =
  | {
      readonly kind: "report";
      readonly report: LoadReport;
      readonly fields: readonly FieldReading[];
      /** For the next pull. */
      readonly replies: Replies;
    }
  /** In words, without secrets. */
  | { readonly kind: "failed"; readonly problem: string; readonly fields: readonly FieldReading[] };

export interface PullContext {
  readonly reach: Reach;
  readonly clock: Clock;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/** Reads a source once, within its timeout. Never rejects. `previous`: the replies of the pull before. */
export async function pull(
  source: PolledLoad,
  previous: Replies | undefined,
  context: PullContext,
): Promise<Pulled> {
  const givenUp = new AbortController();
  const giveUp = (): void => givenUp.abort();
  context.signal?.addEventListener("abort", giveUp);
  try {
    const late = new Promise<never>((_, reject) => {
      givenUp.signal.addEventListener("abort", () => reject(new PullError("it does not answer in time")));
    });
    const cancel = context.clock.after(source.timeoutMs, giveUp);
    const replies = fetchAll(source, { ...context, signal: givenUp.signal });
    return pulledOf(source, await Promise.race([replies, late]).finally(cancel), previous);
  } catch (error) {
    if (error instanceof PullError) return { kind: "failed", problem: error.message, fields: [] };
    throw error;
  } finally {
    context.signal?.removeEventListener("abort", giveUp);
  }
}

async function fetchAll(
  source: PolledLoad,
  context: PullContext & { readonly signal: AbortSignal },
): Promise<Replies> {
  const replies = [];
  for (const request of sourceTypeOf(source).requests(source))
    replies.push(await fetchReply(request, source, context));
  return replies;
}

function pulledOf(source: PolledLoad, replies: Replies, previous: Replies | undefined): Pulled {
  const reading = sourceTypeOf(source).read(source, replies, previous);
  if (reading.kind === "unreadable") return { kind: "failed", problem: reading.problem, fields: [] };
  const { fields } = reading;
  const report = reportFrom(fields);
  if (Object.keys(report).length > 0) return { kind: "report", report, fields, replies };
  return { kind: "failed", problem: `no field could be read: ${complaints(reading)}`, fields };
}

function complaints({ fields }: Extract<Reading, { kind: "fields" }>): string {
  return fields.map(({ field, problem }) => `${field}: ${problem}`).join("; ");
}
