import type { Clock } from "../base/clock.ts";
import type { Reach } from "../base/reach.ts";
import { afterRunning } from "../base/running-time.ts";
import type { LoadReport } from "../model/condition.ts";
import type { MistServerDetails } from "../model/mistserver.ts";
import { type Connections, createConnections } from "./connections.ts";
import { fetchReply } from "./fetch.ts";
import { PullError } from "./pull-error.ts";
import { sourceTypeOf } from "./registry.ts";
import { createSession, type Session, withoutSecrets } from "./session.ts";
import {
  type Asking,
  type FieldReading,
  type PolledLoad,
  type PullRequest,
  type Reading,
  type Replies,
  type Reply,
  reportFrom,
} from "./source.ts";

/** What one read of a source gave. */
export type Pulled =
  | {
      readonly kind: "report";
      readonly report: LoadReport;
      readonly fields: readonly FieldReading[];
      readonly details?: MistServerDetails;
      /** Another reading soon would tell more. */
      readonly again: boolean;
    }
  /** In words, without secrets. */
  | { readonly kind: "failed"; readonly problem: string; readonly fields: readonly FieldReading[] };

export interface PullContext {
  readonly reach: Reach;
  readonly clock: Clock;
  /** 0 <= x < 1 */
  readonly random: () => number;
  /** Gives up. */
  readonly signal?: AbortSignal;
  /** How long our own event loop has stood still so far; that time is not the server's fault. */
  readonly stalledMs?: () => number;
}

/** Reads one source again and again; what one reading leaves for the next is kept here. */
export interface Puller {
  /** Reads the source once, within its timeout. Never rejects. */
  pull(context: PullContext): Promise<Pulled>;
  /** Ends the connection that is kept between readings. */
  close(): void;
}

export function createPuller(source: PolledLoad): Puller {
  const type = sourceTypeOf(source);
  const session = createSession(source, { waitsForChallenge: type.waitsForChallenge === true });
  const connections = createConnections();
  // After a longer gap, a rate would be of a time long past.
  const forgetAfterMs = Math.max(source.staleAfterMs, 3 * source.intervalMs);
  let memory: unknown;
  let keptAtMs = 0;
  return {
    async pull(context) {
      if (context.clock.monotonicMs() - keptAtMs > forgetAfterMs) memory = undefined;
      const asking = { before: memory, random: context.random };
      const replies = await repliesOf(source, asking, { ...context, session, connections });
      if (replies instanceof PullError) {
        connections.drop();
        return failed(source, replies.message);
      }
      const reading = type.read(source, replies, memory);
      if (reading.memory !== undefined) [memory, keptAtMs] = [reading.memory, context.clock.monotonicMs()];
      return pulledOf(source, reading);
    },
    close: () => connections.drop(),
  };
}

type Means = PullContext & { readonly session: Session; readonly connections: Connections };

async function repliesOf(
  source: PolledLoad,
  asking: Asking<unknown>,
  means: Means,
): Promise<Replies | PullError> {
  const givenUp = new AbortController();
  const giveUp = (): void => givenUp.abort();
  means.signal?.addEventListener("abort", giveUp);
  const cancel = afterRunning(source.timeoutMs, means, giveUp);
  try {
    const late = new Promise<never>((_, reject) => {
      givenUp.signal.addEventListener("abort", () => reject(new PullError("it does not answer in time")));
    });
    return await Promise.race([askAll(source, asking, { ...means, signal: givenUp.signal }), late]);
  } catch (error) {
    if (error instanceof PullError) return error;
    throw error;
  } finally {
    cancel();
    means.signal?.removeEventListener("abort", giveUp);
  }
}

/** No server is asked more than this in one reading, however many pages it promises. */
const REQUESTS_MAX = 50;

async function askAll(
  source: PolledLoad,
  asking: Asking<unknown>,
  means: Means & { readonly signal: AbortSignal },
): Promise<Replies> {
  const type = sourceTypeOf(source);
  const replies: Reply[] = [];
  for (const request of type.requests(source, asking)) replies.push(await fetchReply(request, means));
  while (replies.length < REQUESTS_MAX) {
    const request: PullRequest | undefined = type.more?.(source, replies, asking);
    if (request === undefined) break;
    replies.push(await fetchReply(request, means));
  }
  return replies;
}

function pulledOf(source: PolledLoad, reading: Reading<unknown>): Pulled {
  if (reading.kind === "unreadable") return failed(source, reading.problem);
  const fields = reading.fields.map((field) => hushed(field, source));
  const report = reportFrom(fields, reading.capacity);
  const again = reading.again === true;
  const isKnown = fields.some(({ value }) => value !== undefined);
  const { details } = reading;
  if (isKnown || again)
    return { kind: "report", report, fields, again, ...(details === undefined ? {} : { details }) };
  const complaints = fields.map(({ field, problem }) => `${field}: ${problem}`).join("; ");
  return { kind: "failed", problem: `no field could be read: ${complaints}`, fields };
}

function failed(source: PolledLoad, problem: string): Pulled {
  return { kind: "failed", problem: withoutSecrets(problem, source), fields: [] };
}

function hushed(reading: FieldReading, source: PolledLoad): FieldReading {
  const { problem } = reading;
  return problem === undefined ? reading : { ...reading, problem: withoutSecrets(problem, source) };
}
