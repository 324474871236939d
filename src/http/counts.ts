import type { HistogramFamily, MetricFamily } from "../model/metrics.ts";
import { Tally } from "../base/tally.ts";

/** Why a request or a connection had no service looked for. */
export type RejectedReason =
  | "bad-host"
  | "header-overflow"
  | "uri-too-long"
  | "bad-request"
  | "timeout"
  | "tls"
  | "proxy-header";

/** What one responder counts. */
export interface Counts {
  answered(status: number, serviceId: string, durationSeconds: number): void;
  rejected(reason: RejectedReason): void;
  /** A connection that the parser or a timer gave up. */
  refused(status: number, reason: RejectedReason): void;
}

/** Where it is counted: numbers, which may lie in shared memory, and what those stand for that have no fixed place. */
export interface CountedIn {
  readonly cells: Float64Array;
  /** `STATUS SERVICE` by the place of its number. Grows. */
  readonly names: string[];
}

/** @param onName is told of every name when it gets its place */
export function createCounts(
  { cells, names }: CountedIn,
  onName: (place: number, name: string) => void = () => {},
): Counts {
  const places = new Map(names.map((name, place) => [name, place]));
  const add = (at: number, value = 1): void => {
    cells[at] = (cells[at] as number) + value;
  };
  const placeOf = (name: string): number => {
    const known = places.get(name);
    if (known !== undefined) return known;
    if (names.length === MOST_NAMES) return placeOf(names[0] as string);
    const place = names.push(name) - 1;
    places.set(name, place);
    onName(place, name);
    return place;
  };
  /** By status and service: the name is put together once. */
  const known: (Map<string, number> | undefined)[] = [];
  const placeFor = (status: number, serviceId: string): number => {
    const ofStatus = (known[status] ??= new Map<string, number>());
    let place = ofStatus.get(serviceId);
    if (place === undefined) ofStatus.set(serviceId, (place = placeOf(`${status} ${serviceId}`)));
    return place;
  };
  const counts: Counts = {
    answered(status, serviceId, durationSeconds) {
      add(placeFor(status, serviceId));
      let bucket = 0;
      while (bucket < BOUNDS_SECONDS.length && durationSeconds > (BOUNDS_SECONDS[bucket] as number)) bucket++;
      add(DURATIONS_AT + bucket);
      add(DURATION_SUM_AT, durationSeconds);
    },
    rejected: (reason) => add(REJECTED_AT + REASONS.indexOf(reason)),
    refused(status, reason) {
      add(placeFor(status, "-"));
      counts.rejected(reason);
    },
  };
  return counts;
}

export function newCountedIn(): CountedIn {
  return { cells: new Float64Array(countCells()), names: [] };
}

/** How many numbers are counted in. */
export function countCells(): number {
  return DURATION_SUM_AT + 1;
}

/** Added up over all responders. */
export function httpMetrics(all: readonly CountedIn[]): MetricFamily[] {
  const total = (at: number): number => all.reduce((sum, { cells }) => sum + (cells[at] as number), 0);
  const requests = new Tally("code", "service");
  for (const { cells, names } of all)
    for (const [place, name] of names.entries()) {
      const [status = "", ...service] = name.split(" ");
      requests.addMany(cells[place] as number, status, service.join(" "));
    }
  const rejected = new Tally("reason");
  for (const [i, reason] of REASONS.entries()) rejected.addMany(total(REJECTED_AT + i), reason);
  return [
    requests.family("http_requests_total", "Answers to viewers by status code and service (`-` for none)"),
    rejected.family("http_rejected_total", "Requests refused before a service was looked for, by reason"),
    durations(total),
  ];
}

function durations(total: (at: number) => number): HistogramFamily {
  const counts = Array.from({ length: BOUNDS_SECONDS.length + 1 }, (_, i) => total(DURATIONS_AT + i));
  return {
    kind: "histogram",
    name: "http_request_duration_seconds",
    help: "From a request's complete header to its answer handed over, in seconds",
    bounds: BOUNDS_SECONDS,
    samples: [{ labels: {}, counts, sum: total(DURATION_SUM_AT) }],
  };
}

const REASONS: readonly RejectedReason[] = [
  "bad-host",
  "header-overflow",
  "uri-too-long",
  "bad-request",
  "timeout",
  "tls",
  "proxy-header",
];

const BOUNDS_SECONDS = [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25];

/** Status codes and services come from us: more there will not be. What is beyond is counted under the first. */
const MOST_NAMES = 4096;

const REJECTED_AT = MOST_NAMES;
const DURATIONS_AT = REJECTED_AT + REASONS.length;
const DURATION_SUM_AT = DURATIONS_AT + BOUNDS_SECONDS.length + 1;
