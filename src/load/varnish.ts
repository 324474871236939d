import type { StatusLoad } from "../model/edge.ts";
import { type Amounts, advance, type Moment } from "./counters.ts";
import { isObject, membersAt, numberAt, parseJson, valueAt } from "./document.ts";
import { readMetrics, valueOf } from "./prometheus.ts";
import { bandwidthReading } from "./rates.ts";
import { numberReading, type SourceType, type Unreadable, unreadable } from "./source.ts";

interface Figures {
  readonly octets: Amounts;
  readonly viewers: number | undefined;
  readonly from: { readonly viewers: string; readonly bandwidth: string };
  readonly uptime: number | undefined;
}

/**
 * Varnish, through prometheus_varnish_exporter, or `varnishstat -1 -j` behind any web server. Octets are counted
 * when a transfer ends, so long ones show late and at once.
 */
export const varnishSource: SourceType<StatusLoad<"varnish">> = {
  requests: ({ url }) => [{ url }],
  read(_, [reply], before) {
    const { body = "", receivedAtMs = 0 } = reply ?? {};
    const figures = /^\s*[#a-z]/i.test(body) ? exported(body) : varnishstat(body);
    if ("kind" in figures) return figures;
    const { octets, viewers, from, uptime } = figures;
    const moment: Moment = { receivedAtMs, ...(uptime === undefined ? {} : { uptime }) };
    const memory = advance(before, octets, moment);
    return {
      kind: "fields",
      fields: [numberReading("viewers", viewers, from.viewers), bandwidthReading(memory, from.bandwidth)],
      memory,
      again: memory.gap === "first" && Object.keys(octets).length > 0,
    };
  },
};

/** Since 6.5 the counters stand under `counters`; before, beside the timestamp. */
function varnishstat(body: string): Figures | Unreadable {
  const parsed = parseJson(body);
  if (parsed.kind === "unreadable") return parsed;
  const nested = valueAt(parsed.document, "counters");
  const counters = isObject(nested) ? nested : parsed.document;
  const names = ["MAIN.s_resp_hdrbytes", "MAIN.s_resp_bodybytes", "MAIN.s_pipe_out"];
  const live = membersAt(counters).filter(([name]) => /^MEMPOOL\.sess\d+\.live$/.test(name));
  const octets = amounts(names.map((name) => [name, numberAt(counters, name, "value")]));
  if (live.length === 0 && Object.keys(octets).length === 0)
    return unreadable("expected the JSON of varnishstat, got other JSON");
  return {
    octets,
    viewers: sumOf(live.map(([, counter]) => numberAt(counter, "value"))),
    from: {
      viewers: "sum of MEMPOOL.sess*.live",
      bandwidth: "MAIN.s_resp_hdrbytes + s_resp_bodybytes + s_pipe_out, × 8 per second",
    },
    uptime: numberAt(counters, "MAIN.uptime", "value"),
  };
}

function exported(body: string): Figures | Unreadable {
  const names = [
    "varnish_main_s_resp_hdrbytes",
    "varnish_main_s_resp_bodybytes",
    "varnish_main_s_pipe_out",
  ] as const;
  const metrics = readMetrics(body, [...names, "varnish_mempool_live", "varnish_main_uptime", "varnish_up"]);
  if (valueOf(metrics.varnish_up) === 0) return unreadable("its exporter cannot read Varnish (varnish_up 0)");
  const live = metrics.varnish_mempool_live.filter(({ labels }) => labels["id"]?.startsWith("sess"));
  const octets = amounts(names.map((name) => [name, valueOf(metrics[name])]));
  if (live.length === 0 && Object.keys(octets).length === 0)
    return unreadable("expected metrics of Varnish, found none");
  return {
    octets,
    viewers: sumOf(live.map(({ value }) => value)),
    from: {
      viewers: "sum of varnish_mempool_live of sess*",
      bandwidth: "varnish_main_s_resp_hdrbytes + s_resp_bodybytes + s_pipe_out, × 8 per second",
    },
    uptime: valueOf(metrics.varnish_main_uptime),
  };
}

function amounts(values: readonly (readonly [string, number | undefined])[]): Amounts {
  const known = values.filter(([, value]) => value !== undefined && Number.isFinite(value));
  return Object.fromEntries(known) as Amounts;
}

function sumOf(values: readonly (number | undefined)[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}
