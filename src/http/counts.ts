import { Histogram } from "../base/histogram.ts";
import { Tally } from "../base/tally.ts";
import type { MetricSource } from "../model/metrics.ts";
import type { RejectedReason } from "./respond.ts";

const DURATION_BOUNDS_SECONDS = [
  0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25,
];

/** What the door counts. */
export interface Counts {
  answered(status: number, serviceId: string, durationSeconds: number): void;
  rejected(reason: RejectedReason): void;
  /** A connection that the parser or a timer gave up. */
  refused(status: number, reason: RejectedReason): void;
  readonly metrics: MetricSource;
}

export function createCounts(): Counts {
  const requests = new Tally("code", "service");
  const rejected = new Tally("reason");
  const duration = new Histogram(DURATION_BOUNDS_SECONDS);
  return {
    answered(status, serviceId, durationSeconds) {
      requests.add(String(status), serviceId);
      duration.observe(durationSeconds);
    },
    rejected: (reason) => rejected.add(reason),
    refused(status, reason) {
      requests.add(String(status), "-");
      rejected.add(reason);
    },
    metrics: () => [
      requests.family("http_requests_total", "Answers to viewers by status code and service (`-` for none)"),
      rejected.family("http_rejected_total", "Requests refused before a service was looked for, by reason"),
      {
        kind: "histogram",
        name: "http_request_duration_seconds",
        help: "From a request's complete header to its answer handed over, in seconds",
        bounds: duration.bounds,
        samples: [duration.sample({})],
      },
    ],
  };
}
