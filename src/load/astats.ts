import type { AstatsLoad } from "../model/edge.ts";
import { type Amounts, advance, type Counters } from "./counters.ts";
import { isObject, looksLike, membersAt, numberIn, parseJson, valueAt } from "./document.ts";
import { bandwidthReading } from "./rates.ts";
import { type FieldReading, numberReading, type SourceType, streamsReading, unreadable } from "./source.ts";

/** Apache Traffic Server, by Traffic Control's astats plugin; the stats_over_http plugin has less, and is read too. */
export const astatsSource: SourceType<AstatsLoad> = {
  requests: (source) => [{ url: pageOf(source), headers: { accept: "application/json" } }],
  read(source, [reply], before) {
    const { body = "", receivedAtMs = 0 } = reply ?? {};
    const figures = figuresIn(body);
    if (!figures.has(CONNECTIONS))
      return unreadable(
        `expected the figures of astats, got ${body.includes(":") ? "others" : looksLike(body)}`,
      );
    if (String(figures.get("notAvailable")) === "true")
      return unreadable("the cache calls itself not available");
    const { octets, from, problem } = octetsOut(source, figures);
    const memory = advance(before, octets, { receivedAtMs });
    const speed = numberIn(figures.get("inf.speed")) ?? 0;
    return {
      kind: "fields",
      fields: [
        numberReading("viewers", numberIn(figures.get(CONNECTIONS)), CONNECTIONS),
        bandwidthOf(memory, from, problem),
        streamsReading(remaps(figures), "plugin.remap_stats"),
      ],
      ...(speed > 0 ? { capacity: { bandwidth: speed * 1e6 } } : {}),
      memory,
      again: Object.keys(octets).length > 0 && memory.gap === "first",
    };
  },
};

const CONNECTIONS = "proxy.process.http.current_client_connections";
const TOTALS = [
  "proxy.process.http.user_agent_response_header_total_size",
  "proxy.process.http.user_agent_response_document_total_size",
];

type Figures = ReadonlyMap<string, unknown>;

/** Only the figures that are read here, since the whole is long; the system's part comes with any. */
function pageOf({ url, interface: network, application }: AstatsLoad): string {
  const page = new URL(url);
  if (page.search !== "" || page.pathname.endsWith("/_stats")) return url;
  const wanted = application ?? "current_client_connections;remap_stats";
  const interfaces = network === undefined ? "" : `&inf.name=${encodeURIComponent(network)}`;
  return `${url}?application=${encodeURIComponent(wanted).replaceAll("%3B", ";")}${interfaces}`;
}

/** Whatever stands in the parts `ats`, `system` and `global`, or in lines of `key,value`. */
function figuresIn(body: string): Figures {
  if (!/^\s*\{/.test(body)) {
    const lines = body.split(/\r?\n/).filter((line) => line.includes(","));
    return new Map(
      lines.map((line) => [line.slice(0, line.indexOf(",")), line.slice(line.indexOf(",") + 1)]),
    );
  }
  const parsed = parseJson(body);
  if (parsed.kind === "unreadable" || !isObject(parsed.document)) return new Map();
  const { document } = parsed;
  const parts = ["ats", "system", "global"].flatMap((part) => membersAt(document, part));
  return new Map([...parts, ["notAvailable", notAvailable(document)] as const]);
}

function notAvailable(document: unknown): unknown {
  return valueAt(document, "notAvailable") ?? valueAt(document, "system", "notAvailable");
}

interface Octets {
  readonly octets: Amounts;
  readonly from: string;
  readonly problem?: string;
}

/** What the interface sent; without an interface, what was answered to clients. */
function octetsOut({ interface: wanted }: AstatsLoad, figures: Figures): Octets {
  const line = figures.get("proc.net.dev");
  if (typeof line !== "string" || line === "") return answered(figures, wanted);
  const colon = line.indexOf(":");
  const name = line.slice(0, colon).trim();
  const from = `proc.net.dev of ${wanted ?? name}, × 8 per second`;
  // Interfaces are found by a part of their name: eth1 finds eth10.
  if (wanted !== undefined && name !== wanted)
    return { octets: {}, from, problem: "the line is of another interface" };
  const sent = numberIn(
    line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)[8],
  );
  return { octets: sent === undefined ? {} : { [name]: sent }, from };
}

function answered(figures: Figures, wanted: string | undefined): Octets {
  const known = TOTALS.flatMap((name) => {
    const octets = numberIn(figures.get(name));
    return octets === undefined ? [] : [[name, octets] as const];
  });
  const problem = wanted === undefined ? "name its interface" : "it does not tell of that interface";
  const from = known.length === 0 ? "proc.net.dev" : "user_agent_response_*_total_size × 8 per second";
  return { octets: Object.fromEntries(known), from, ...(known.length === 0 ? { problem } : {}) };
}

function bandwidthOf(memory: Counters, from: string, problem: string | undefined): FieldReading {
  return problem === undefined ? bandwidthReading(memory, from) : { field: "bandwidth", from, problem };
}

/** `plugin.remap_stats.HOSTNAME.out_bytes`: services rather than streams, which is as fine as it gets. */
function remaps(figures: Figures): string[] {
  return [...figures.keys()].flatMap((key) => /^plugin\.remap_stats\.(.+)\.out_bytes$/.exec(key)?.[1] ?? []);
}
