import type { Capacity, StatusLoad } from "../model/edge.ts";
import { type Amounts, advance } from "./counters.ts";
import { parseCsv } from "../base/csv.ts";
import { looksLike, numberIn } from "./document.ts";
import { type PrometheusSample, readMetrics, valueOf } from "./prometheus.ts";
import { bandwidthReading } from "./rates.ts";
import { type FieldReading, numberReading, shareReading, type SourceType, unreadable } from "./source.ts";

interface Frontend {
  readonly name: string;
  readonly sessions: number;
  readonly limit: number;
  readonly octetsOut: number | undefined;
}

/**
 * HAProxy's statistics as CSV, or its Prometheus exporter, which also knows how idle it is. Octets are counted when
 * a transfer ends, unless `option contstats` is set.
 */
export const haproxySource: SourceType<StatusLoad<"haproxy">> = {
  requests: ({ url }) => [{ url: pageOf(url) }],
  read(_, [reply], before) {
    const { body = "", receivedAtMs = 0 } = reply ?? {};
    const isCsv = body.startsWith("# pxname,");
    const all = isCsv ? frontendsInCsv(body) : frontendsInMetrics(body);
    if (all.length === 0) return unreadable(`expected HAProxy's frontends, got ${whatInstead(body, isCsv)}`);
    const viewing = all.filter(({ name }) => !OWN.test(name));
    const frontends = viewing.length === 0 ? all : viewing;
    const memory = advance(before, octetsOut(frontends), { receivedAtMs });
    const { idlePercent, limit } = isCsv ? {} : processIn(body);
    return {
      kind: "fields",
      fields: [
        numberReading("viewers", sum(frontends.map(({ sessions }) => sessions)), sessionsFrom(isCsv)),
        bandwidthReading(memory, isCsv ? "bout of frontends × 8 per second" : METRIC_FROM),
        ...(isCsv ? [] : [idleReading(idlePercent)]),
      ],
      ...capacityOf(frontends, limit),
      memory,
      again: memory.gap === "first",
    };
  },
};

/** HAProxy's own pages are seen by operators, not viewers. */
const OWN = /stats|metrics|prometheus/i;
const METRIC_FROM = "haproxy_frontend_bytes_out_total × 8 per second";

/** `;csv` is part of the path: without it the page is for people. */
function pageOf(url: string): string {
  const { origin, pathname, search } = new URL(url);
  return /;csv\b|\/metrics$/.test(pathname) ? url : `${origin}${pathname};csv${search}`;
}

function frontendsInCsv(body: string): Frontend[] {
  const [header = [], ...rows] = parseCsv(body.slice(2));
  const column = (row: readonly string[], name: string): string => row[header.indexOf(name)] ?? "";
  return rows
    .filter((row) => column(row, "svname") === "FRONTEND")
    .map((row) => ({
      name: column(row, "pxname"),
      sessions: numberIn(column(row, "scur")) ?? 0,
      limit: numberIn(column(row, "slim")) ?? 0,
      octetsOut: numberIn(column(row, "bout")),
    }));
}

function frontendsInMetrics(body: string): Frontend[] {
  const metrics = readMetrics(body, [
    "haproxy_frontend_current_sessions",
    "haproxy_frontend_limit_sessions",
    "haproxy_frontend_bytes_out_total",
  ]);
  const limits = valuesByName(metrics.haproxy_frontend_limit_sessions);
  const octets = valuesByName(metrics.haproxy_frontend_bytes_out_total);
  return metrics.haproxy_frontend_current_sessions.map((sample) => ({
    name: nameOf(sample),
    sessions: sample.value,
    limit: limits.get(nameOf(sample)) ?? 0,
    octetsOut: octets.get(nameOf(sample)),
  }));
}

function valuesByName(samples: readonly PrometheusSample[]): ReadonlyMap<string, number> {
  return new Map(samples.map((sample) => [nameOf(sample), sample.value]));
}

/** HAProxy says `proxy`, the older exporter beside it said `frontend`. */
function nameOf({ labels }: PrometheusSample): string {
  return labels["proxy"] ?? labels["frontend"] ?? "";
}

function octetsOut(frontends: readonly Frontend[]): Amounts {
  const counted = frontends.flatMap(({ name, octetsOut }) =>
    octetsOut === undefined ? [] : [[name, octetsOut] as const],
  );
  return Object.fromEntries(counted);
}

function sessionsFrom(isCsv: boolean): string {
  return isCsv ? "scur of frontends" : "haproxy_frontend_current_sessions";
}

/** Of the process as a whole; its connections are limited on top of those of each frontend. */
interface Process {
  readonly idlePercent?: number | undefined;
  readonly limit?: number | undefined;
}

function processIn(body: string): Process {
  const metrics = readMetrics(body, ["haproxy_process_idle_time_percent", "haproxy_process_max_connections"]);
  return {
    idlePercent: valueOf(metrics.haproxy_process_idle_time_percent),
    limit: valueOf(metrics.haproxy_process_max_connections),
  };
}

function idleReading(idlePercent: number | undefined): FieldReading {
  const share = idlePercent === undefined ? undefined : 1 - idlePercent / 100;
  return shareReading("cpu", share, "1 - haproxy_process_idle_time_percent ÷ 100", "HAProxy's own threads");
}

/**
 * Each frontend without a limit of its own tells that of the process, which holds for all of them together. Where
 * nobody tells that one, no more is certain than what the largest of them takes.
 */
function capacityOf(frontends: readonly Frontend[], processLimit = 0): { capacity?: Capacity } {
  const limits = frontends.map(({ limit }) => limit);
  const areAllLimited = limits.every((limit) => limit > 0);
  if (processLimit > 0)
    return { capacity: { viewers: areAllLimited ? Math.min(sum(limits), processLimit) : processLimit } };
  return areAllLimited ? { capacity: { viewers: limits.reduce((a, b) => Math.max(a, b)) } } : {};
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

function whatInstead(body: string, isCsv: boolean): string {
  if (isCsv) return "CSV without any";
  return /^\s*<.*HAProxy/is.test(body) ? "its page for people: add ;csv to the path" : looksLike(body);
}
