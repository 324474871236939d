import type { HistogramFamily, MetricFamily, SimpleFamily } from "../model/metrics.ts";
import { RCODE, TYPE } from "./wire.ts";

export type Transport = "udp" | "tcp";

/** Why a packet got no reply. */
export type DropReason =
  /** Shorter than a header. */
  | "short"
  /** A response, not a query. */
  | "response"
  /** A TCP connection ended in the middle of a message. */
  | "incomplete"
  /** From a port where something answers everything. */
  | "source-port"
  /** Its network has had more responses than it is allowed. */
  | "rate-limit"
  /** The system did not hand the packet over. */
  | "receive-error"
  /** The system did not take the reply. */
  | "send-error";

/** What one responder counts, in one array of numbers, so that threads can share theirs with who is scraped. */
export interface DnsCounters {
  request(transport: Transport, addressOctets: number, type: number): void;
  response(rcode: number): void;
  dropped(reason: DropReason): void;
  /** Only the question went out, with TC=1, for the rate limit's sake. */
  slipped(): void;
  duration(seconds: number): void;
}

/** Length of the array that `createDnsCounters` writes to. */
export function counterCells(): number {
  return SLIPPED_AT + 1;
}

/** @param cells where to count, of `counterCells()` numbers; may lie in shared memory */
export function createDnsCounters(cells: Float64Array): DnsCounters {
  const add = (at: number, value = 1): void => {
    cells[at] = (cells[at] as number) + value;
  };
  return {
    request(transport, addressOctets, type) {
      add(requestAt(transport === "udp" ? 0 : 1, addressOctets === 4 ? 0 : 1, typeIndex(type)));
    },
    response: (rcode) => add(RESPONSES_AT + (RCODE_INDEX[rcode] as number)),
    dropped: (reason) => add(DROPPED_AT + DROP_REASONS.indexOf(reason)),
    slipped: () => add(SLIPPED_AT),
    duration(seconds) {
      let bucket = 0;
      while (bucket < DURATION_BOUNDS_SECONDS.length && seconds > (DURATION_BOUNDS_SECONDS[bucket] as number))
        bucket++;
      add(DURATIONS_AT + bucket);
      add(DURATION_SUM_AT, seconds);
    },
  };
}

/** The metric families, added up over all responders. */
export function dnsMetrics(allCells: readonly Float64Array[]): readonly MetricFamily[] {
  const total = (at: number): number => allCells.reduce((sum, cells) => sum + (cells[at] ?? 0), 0);
  return [requests(total), responses(total), drops(total), slips(total), durations(total)];
}

type Total = (at: number) => number;

function requests(total: Total): SimpleFamily {
  const samples = PROTOCOLS.flatMap((proto, p) =>
    FAMILIES.flatMap((family, f) =>
      TYPE_LABELS.map((type, t) => ({ labels: { proto, family, type }, value: total(requestAt(p, f, t)) })),
    ),
  );
  const asked = samples.filter(({ value }) => value > 0);
  return {
    kind: "counter",
    name: "dns_requests_total",
    help: "DNS queries by transport, address family and type",
    samples: asked,
  };
}

function responses(total: Total): SimpleFamily {
  const samples = RCODE_LABELS.map((rcode, i) => ({ labels: { rcode }, value: total(RESPONSES_AT + i) }));
  return { kind: "counter", name: "dns_responses_total", help: "DNS replies by response code", samples };
}

function drops(total: Total): SimpleFamily {
  const samples = DROP_REASONS.map((reason, i) => ({ labels: { reason }, value: total(DROPPED_AT + i) }));
  return {
    kind: "counter",
    name: "dns_dropped_total",
    help: "DNS packets without a reply, by reason",
    samples,
  };
}

function slips(total: Total): SimpleFamily {
  return {
    kind: "counter",
    name: "dns_slipped_total",
    help: "DNS replies cut to TC=1 because their client's network has had more than it is allowed",
    samples: [{ labels: {}, value: total(SLIPPED_AT) }],
  };
}

function durations(total: Total): HistogramFamily {
  const counts = Array.from({ length: DURATION_BOUNDS_SECONDS.length + 1 }, (_, i) =>
    total(DURATIONS_AT + i),
  );
  return {
    kind: "histogram",
    name: "dns_request_duration_seconds",
    help: "From a query decoded to its reply encoded, in seconds; replies given again as they were are not timed",
    bounds: DURATION_BOUNDS_SECONDS,
    samples: [{ labels: {}, counts, sum: total(DURATION_SUM_AT) }],
  };
}

const PROTOCOLS: readonly Transport[] = ["udp", "tcp"];
const FAMILIES = ["ipv4", "ipv6"] as const;

/** Every type with a name here, and one label for the rest. */
const TYPE_LABELS: readonly string[] = ["other", ...Object.keys(TYPE)];
/** By type: its label. */
const TYPE_INDEX = indexOf(1 << 16, Object.values(TYPE), 1);

const RCODE_LABELS: readonly string[] = Object.keys(RCODE);
const RCODE_INDEX = indexOf(1 << 12, Object.values(RCODE), 0);

const DROP_REASONS: readonly DropReason[] = [
  "short",
  "response",
  "incomplete",
  "source-port",
  "rate-limit",
  "receive-error",
  "send-error",
];

const DURATION_BOUNDS_SECONDS: readonly number[] = [
  1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 1e-3, 1e-2, 1e-1,
];

const RESPONSES_AT = PROTOCOLS.length * FAMILIES.length * TYPE_LABELS.length;
const DROPPED_AT = RESPONSES_AT + RCODE_LABELS.length;
const DURATIONS_AT = DROPPED_AT + DROP_REASONS.length;
const DURATION_SUM_AT = DURATIONS_AT + DURATION_BOUNDS_SECONDS.length + 1;
const SLIPPED_AT = DURATION_SUM_AT + 1;

function requestAt(protocol: number, family: number, type: number): number {
  return (protocol * FAMILIES.length + family) * TYPE_LABELS.length + type;
}

function typeIndex(type: number): number {
  return TYPE_INDEX[type] as number;
}

/** The position of each value and `first`; 0 for all others. */
function indexOf(size: number, values: readonly number[], first: number): Uint8Array {
  const index = new Uint8Array(size);
  values.forEach((value, i) => (index[value] = first + i));
  return index;
}
