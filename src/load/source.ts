import type { LoadReport } from "../model/condition.ts";
import type { LoadField, LoadSource, PushLoad } from "../model/edge.ts";
import { problemOf, reportOf } from "./fields.ts";

/** A source that we read, rather than one that reports by itself. */
export type PolledLoad = Exclude<LoadSource, PushLoad>;

/** How one type of source is read: what to ask, and what the answers mean. Both are pure. */
export interface SourceType<S extends PolledLoad> {
  /** Asked one after the other; all must answer 200. */
  readonly requests: (source: S) => readonly PullRequest[];
  /** `previous`: the replies of the poll before, for rates; in the order of `requests`. */
  readonly read: (source: S, replies: Replies, previous: Replies | undefined) => Reading;
}

export interface PullRequest {
  readonly url: string;
  readonly headers?: { readonly [name: string]: string };
}

export type Replies = readonly Reply[];

export interface Reply {
  readonly body: string;
  /** Monotonic. */
  readonly receivedAtMs: number;
}

export type Reading =
  | { readonly kind: "fields"; readonly fields: readonly FieldReading[] }
  /** Nothing in it could be understood; in words, without any secret. */
  | { readonly kind: "unreadable"; readonly problem: string };

/** One field of a report: its value, where it came from, and what is odd about it. Without a value it is unknown. */
export interface FieldReading {
  readonly field: LoadField;
  readonly value?: number | readonly string[];
  readonly from: string;
  readonly problem?: string;
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

/** What the fields say together; unknown stays unknown. */
export function reportFrom(fields: readonly FieldReading[]): LoadReport {
  const known = fields.filter(({ value }) => value !== undefined);
  return reportOf(new Map(known.map(({ field, value }) => [field, value])));
}
