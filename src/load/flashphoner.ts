import type { StatusLoad } from "../model/edge.ts";
import { isObject, looksLike, membersAt, numberIn, parseJson, textAt, valueAt } from "./document.ts";
import {
  type FieldReading,
  numberReading,
  type Reply,
  shareReading,
  type SourceType,
  streamsReading,
  unreadable,
} from "./source.ts";
import { under } from "./url.ts";

/** Flashphoner WCS: `key=value` lines in sections, or JSON groups of the same keys; streams also from its REST API. */
export const flashphonerSource: SourceType<StatusLoad<"flashphoner">> = {
  requests: ({ url }) => [{ url: `${under(url, "")}?action=stat` }],
  more: ({ url }, replies) =>
    replies.length === 1 && !statisticsIn(replies[0]?.body ?? "").has("streams_viewers")
      ? { url: under(url, "rest-api/stream/find_all"), optional: true }
      : undefined,
  read(_, [reply, found]) {
    const body = reply?.body ?? "";
    const statistics = statisticsIn(body);
    if (![...statistics.keys()].some((key) => KNOWN.test(key)))
      return unreadable(`expected Flashphoner's statistics, got ${looksLike(body)}`);
    return {
      kind: "fields",
      fields: [
        viewersReading(statistics),
        cpuReading(statistics),
        memoryReading(statistics),
        streamsIn(statistics, found),
      ],
    };
  },
};

type Statistics = ReadonlyMap<string, string>;

const KNOWN = /^(connections|streams_\w+|system_\w+|calls|systemCpuLoad)$/;

/** All keys of all sections; the names of sections and groups differ by version, those of keys do not. */
function statisticsIn(body: string): Statistics {
  if (/^\s*[[{]/.test(body)) {
    const parsed = parseJson(body);
    return new Map(parsed.kind === "document" ? keysIn(parsed.document, GROUP_DEPTH) : []);
  }
  const lines = body.split(/\r?\n/).filter((line) => !line.startsWith("-") && line.includes("="));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}

/** Groups in groups are not known of any version; whatever is nested more deeply is passed over. */
const GROUP_DEPTH = 3;

function keysIn(document: unknown, depth: number): [string, string][] {
  return membersAt(document).flatMap(([key, value]): [string, string][] => {
    if (!isObject(value)) return [[key, String(value)]];
    return depth === 0 ? [] : keysIn(value, depth - 1);
  });
}

function viewersReading(statistics: Statistics): FieldReading {
  const outgoing = [...statistics].filter(([key]) => /^streams_\w+_out$/.test(key));
  if (outgoing.length > 0) {
    const sum = outgoing.reduce((total, [, value]) => total + (numberIn(value) ?? 0), 0);
    return numberReading("viewers", sum, "sum of streams_*_out");
  }
  return numberReading(
    "viewers",
    number(statistics, "calls"),
    "calls",
    "calls, those who publish among them",
  );
}

function cpuReading(statistics: Statistics): FieldReading {
  const percent = number(statistics, "system_java_cpu_usage");
  if (percent !== undefined) return shareReading("cpu", percent / 100, "system_java_cpu_usage ÷ 100");
  return shareReading("cpu", number(statistics, "systemCpuLoad"), "systemCpuLoad");
}

function memoryReading(statistics: Statistics): FieldReading {
  const isNew = statistics.has("system_memory_total");
  const [total, free] = isNew
    ? ["system_memory_total", "system_memory_free"]
    : ["totalPhysicalMemorySize", "freePhysicalMemorySize"];
  const whole = number(statistics, total) ?? 0;
  const share = whole > 0 ? 1 - (number(statistics, free) ?? Number.NaN) / whole : undefined;
  return shareReading("memory", share, `1 - ${free} ÷ ${total}`);
}

function streamsIn(statistics: Statistics, found: Reply | undefined): FieldReading {
  const listed = statistics.get("streams_viewers");
  if (listed !== undefined) return streamsReading(namesIn(listed), "streams_viewers");
  const from = "rest-api/stream/find_all";
  if (found?.problem !== undefined)
    return { field: "streams", from, problem: `${found.problem}; without any stream it says so, too` };
  const parsed = parseJson(found?.body ?? "");
  if (parsed.kind === "unreadable") return { field: "streams", from, problem: parsed.problem };
  const streams = Array.isArray(parsed.document) ? (parsed.document as unknown[]) : [];
  const published = streams.filter((stream) => valueAt(stream, "published") === true);
  return streamsReading(
    published.map((stream) => textAt(stream, "name") ?? ""),
    from,
  );
}

/** `name/viewers;name/viewers;` */
function namesIn(list: string): string[] {
  const items = list.split(";").filter((item) => item.trim() !== "");
  return items.map((item) => (item.includes("/") ? item.slice(0, item.lastIndexOf("/")) : item).trim());
}

function number(statistics: Statistics, key: string): number | undefined {
  return numberIn(statistics.get(key));
}
