import type { StatusLoad } from "../model/edge.ts";
import { advance } from "./counters.ts";
import { looksLike, numberIn } from "./document.ts";
import { bandwidthReading } from "./rates.ts";
import { type FieldReading, numberReading, type SourceType, unreadable } from "./source.ts";

/** Apache's mod_status. Its rates and its CPU load are averages since the start, and of no use here. */
export const apacheSource: SourceType<StatusLoad<"apache">> = {
  requests: ({ url }) => [{ url: pageOf(url) }],
  read(_, [reply], before) {
    const { body = "", receivedAtMs = 0 } = reply ?? {};
    const status = statusIn(body);
    if (!status.has("BusyWorkers")) return unreadable(`expected mod_status, got ${looksLike(body)}`);
    const kibibytes = numberIn(status.get("Total kBytes"));
    const uptime = numberIn(status.get("Uptime")) ?? 0;
    const octets = kibibytes === undefined ? {} : { octets: kibibytes * 1024 };
    const memory = advance(before, octets, { receivedAtMs, uptime });
    return {
      kind: "fields",
      fields: [
        viewersReading(status),
        kibibytes === undefined
          ? { field: "bandwidth", from: "Total kBytes", problem: "missing: set ExtendedStatus On" }
          : bandwidthReading(memory, "Total kBytes × 8192 per second"),
      ],
      memory,
      again: kibibytes !== undefined && memory.gap === "first",
    };
  },
};

/** Without `?auto` the page is for people. */
function pageOf(url: string): string {
  return new URL(url).search === "" ? `${url}?auto` : url;
}

/** `Key: value` lines; the first line is the server's name alone. */
function statusIn(body: string): ReadonlyMap<string, string> {
  const lines = body.split(/\r?\n/).filter((line) => line.includes(":"));
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]),
  );
}

/** Connections where the event MPM counts them; busy workers elsewhere, of which one is at this very request. */
function viewersReading(status: ReadonlyMap<string, string>): FieldReading {
  const connections = numberIn(status.get("ConnsTotal"));
  if (connections !== undefined) return numberReading("viewers", connections, "ConnsTotal");
  const busy = numberIn(status.get("BusyWorkers"));
  return numberReading("viewers", busy === undefined ? undefined : Math.max(0, busy - 1), "BusyWorkers - 1");
}
