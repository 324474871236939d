import type { LoadReport } from "../model/condition.ts";
import type { Capacity, LoadField, LoadSource, PushLoad } from "../model/edge.ts";
import type { MistServerDetails } from "../model/mistserver.ts";
import type { Counters } from "./counters.ts";
import { problemOf, reportOf, usableNames } from "./fields.ts";

/** A source that we read, rather than one that reports by itself. */
export type PolledLoad = Exclude<LoadSource, PushLoad>;

/**
 * How one type of source is read: what to ask, and what the answers mean. All of it is pure.
 * `M` is what a reading leaves for the next one: most types keep counters, to make rates of.
 */
export interface SourceType<S extends PolledLoad, M = Counters> {
  /** Asked one after the other. All must answer 200, but for the optional ones. */
  requests(source: S, asking: Asking<M>): readonly PullRequest[];
  /** What else to ask, given what was answered: a next page, a log-in. Asked again until there is nothing. */
  more?(source: S, replies: Replies, asking: Asking<M>): PullRequest | undefined;
  /** `replies`: in the order of the requests. `before`: what the last reading left. */
  read(source: S, replies: Replies, before: M | undefined): Reading<M>;
  /** Credentials are shown only when the server asks for them; otherwise they go out at once, as Basic. */
  readonly waitsForChallenge?: true;
}

export interface Asking<M> {
  readonly before: M | undefined;
  /** 0 <= x < 1 */
  readonly random: () => number;
}

export interface PullRequest {
  readonly url: string;
  /** JSON to POST; a request without is a GET. */
  readonly json?: object;
  readonly headers?: { readonly [name: string]: string };
  /** Of use, but not needed: a failure becomes a reply with a problem. */
  readonly optional?: true;
}

export type Replies = readonly Reply[];

export interface Reply {
  readonly body: string;
  /** Monotonic. */
  readonly receivedAtMs: number;
  /** Why an optional request failed, in words; its body is empty. */
  readonly problem?: string;
  /** With a problem: what the server answered instead of 200, where it answered. */
  readonly status?: number;
  /** What to send back as Cookie, where the server set any. */
  readonly cookie?: string;
}

export type Reading<M = Counters> =
  | {
      readonly kind: "fields";
      readonly fields: readonly FieldReading[];
      /** What the server says it can carry. */
      readonly capacity?: Capacity;
      /** What is of use beside the load. */
      readonly details?: MistServerDetails;
      readonly memory?: M;
      /** A second reading soon would tell more: there are counters that were never seen before. */
      readonly again?: boolean;
    }
  | (Unreadable & { readonly memory?: M });

/** Nothing in it could be understood; in words, without any secret. */
export interface Unreadable {
  readonly kind: "unreadable";
  readonly problem: string;
}

/** One field of a report: its value, where it came from, and what is odd about it. Without a value it is unknown. */
export interface FieldReading {
  readonly field: LoadField;
  readonly value?: number | readonly string[];
  readonly from: string;
  readonly problem?: string;
}

export function unreadable(problem: string): Unreadable {
  return { kind: "unreadable", problem };
}

/** A reading's value, taken only if a report may carry it. */
export function fieldReading(
  field: LoadField,
  value: number | readonly string[],
  from: string,
  remark?: string,
): FieldReading {
  const problem = problemOf(field, value);
  if (problem !== undefined) return { field, from, problem };
  return remark === undefined ? { field, value, from } : { field, value, from, problem: remark };
}

/** A number that may be missing. Viewers are rounded. */
export function numberReading(
  field: "viewers" | "bandwidth",
  value: number | undefined,
  from: string,
  remark?: string,
): FieldReading {
  if (value === undefined) return { field, from, problem: `nothing at ${from}` };
  return fieldReading(field, field === "viewers" ? Math.round(value) : value, from, remark);
}

/** A share of the whole that may be missing; -1 is how Java says "not yet". */
export function shareReading(
  field: "cpu" | "memory",
  share: number | undefined,
  from: string,
  remark?: string,
): FieldReading {
  if (share === undefined || Number.isNaN(share)) return { field, from, problem: `nothing at ${from}` };
  if (share < 0) return { field, from, problem: "not known to the server itself yet" };
  return fieldReading(field, Math.min(share, 1), from, share > 1 ? `more than the whole: ${share}` : remark);
}

/** Names as a server lists them; those that no report may carry are left out, and said so. */
export function streamsReading(names: readonly string[], from: string, remark?: string): FieldReading {
  const { usable, leftOut } = usableNames(names);
  return fieldReading("streams", usable, from, leftOut === 0 ? remark : `${leftOut} names left out`);
}

/** What the fields say together; unknown stays unknown. */
export function reportFrom(fields: readonly FieldReading[], capacity?: Capacity): LoadReport {
  const known = fields.filter(({ value }) => value !== undefined);
  const report = reportOf(new Map(known.map(({ field, value }) => [field, value])));
  return capacity === undefined || Object.keys(capacity).length === 0 ? report : { ...report, capacity };
}
