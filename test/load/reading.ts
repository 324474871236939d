import { readFileSync } from "node:fs";
import { sourceTypeOf } from "../../src/load/registry.ts";
import { type PolledLoad, type Reading, type Reply, reportFrom } from "../../src/load/source.ts";
import type { LoadReport } from "../../src/model/condition.ts";
import type { LoadField } from "../../src/model/edge.ts";

export function sample(name: string): string {
  return readFileSync(new URL(`./samples/${name}`, import.meta.url), "utf8");
}

type Of<T extends PolledLoad["type"]> = Extract<PolledLoad, { type: T }>;
type Own<S> = Omit<S, "type" | "url" | "intervalMs" | "timeoutMs" | "staleAfterMs">;

/** A source of a type, with whatever that type needs of its own. */
export function source<T extends PolledLoad["type"]>(
  type: T,
  url: string,
  other?: Partial<Of<T>> & Own<Of<T>>,
): Of<T>;
export function source(type: PolledLoad["type"], url: string, other: object = {}): PolledLoad {
  return { type, url, intervalMs: 5000, timeoutMs: 15_000, staleAfterMs: 30_000, ...other } as PolledLoad;
}

/** One reading: bodies in the order of the requests, or replies with more to them. */
export interface Poll {
  readonly bodies: readonly (string | Partial<Reply>)[];
  readonly atMs?: number;
}

export interface Read {
  readonly reading: Reading<unknown>;
  readonly report: LoadReport;
  /** What is remarked of a field, or why it is unknown. */
  problemOf(field: LoadField): string | undefined;
}

/** The last of several readings, each knowing what the one before left. */
export function readAfter(polled: PolledLoad, ...polls: readonly Poll[]): Read {
  const type = sourceTypeOf(polled);
  let memory: unknown;
  let reading: Reading<unknown> | undefined;
  for (const { bodies, atMs = 0 } of polls) {
    const replies = bodies.map((body) =>
      typeof body === "string" ? { body, receivedAtMs: atMs } : { body: "", receivedAtMs: atMs, ...body },
    );
    reading = type.read(polled, replies, memory);
    memory = reading.memory ?? memory;
  }
  if (reading === undefined) throw new Error("nothing was read");
  const fields = reading.kind === "fields" ? reading.fields : [];
  const capacity = reading.kind === "fields" ? reading.capacity : undefined;
  return {
    reading,
    report: reportFrom(fields, capacity),
    problemOf: (name) => fields.find(({ field }) => field === name)?.problem,
  };
}

/** The same for bodies of one request, a number of seconds apart. */
export function readApart(polled: PolledLoad, seconds: number, ...bodies: readonly string[]): Read {
  return readAfter(polled, ...bodies.map((body, i) => ({ bodies: [body], atMs: i * seconds * 1000 })));
}
