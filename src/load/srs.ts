import type { StatusLoad } from "../model/edge.ts";
import { advance } from "./counters.ts";
import { listAt, numberAt, parseJson, textAt, valueAt } from "./document.ts";
import {
  type FieldReading,
  numberReading,
  type PullRequest,
  type Replies,
  shareReading,
  type SourceType,
  streamsReading,
  unreadable,
} from "./source.ts";
import { bandwidthReading } from "./rates.ts";
import { under } from "./url.ts";

const PAGE = 1000;

/** SRS's HTTP API. Errors come with status 200 and a code; lists come in pages, of ten unless asked otherwise. */
export const srsSource: SourceType<StatusLoad<"srs">> = {
  requests: ({ url }) => [{ url: under(url, "api/v1/summaries") }, streamsPage(url, 0)],
  more({ url }, replies) {
    const last = streamsIn(replies.at(-1)?.body ?? "");
    const pages = replies.length - 1;
    return last?.length === PAGE && pages < PAGES_MAX ? streamsPage(url, pages * PAGE) : undefined;
  },
  read(_, replies, before) {
    const [reply] = replies;
    const parsed = parseJson(reply?.body ?? "");
    if (parsed.kind === "unreadable") return parsed;
    const { document } = parsed;
    const code = numberAt(document, "code");
    if (code !== undefined && code !== 0) return unreadable(`it answers with its error ${code}`);
    const system = valueAt(document, "data", "system");
    if (system === undefined) return unreadable("expected the summaries of SRS, got other JSON");
    const sent = numberAt(system, "srs_send_bytes");
    const clockMs = numberAt(system, "srs_sample_time") ?? 0;
    const life = `${textAt(document, "service")} ${textAt(document, "pid")}`;
    const { receivedAtMs = 0 } = reply ?? {};
    const memory = advance(before, sent === undefined ? {} : { sent }, { receivedAtMs, clockMs, life });
    const isOff = isFrozen(document);
    return {
      kind: "fields",
      fields: [
        ...streamFields(replies.slice(1)),
        isOff
          ? { field: "bandwidth", from: "srs_send_bytes", problem: OFF }
          : bandwidthReading(memory, "srs_send_bytes × 8 per second"),
        ...(isOff ? [] : machineFields(system)),
      ],
      memory,
      again: !isOff && memory.gap === "first",
    };
  },
};

const PAGES_MAX = 10;
const OFF = "its statistics stand still: stats.enabled is off";

function streamsPage(url: string, start: number): PullRequest {
  // Without the slash it redirects.
  return { url: `${under(url, "api/v1/streams/")}?start=${start}&count=${PAGE}`, optional: true };
}

/** Samples are taken every few seconds. */
function isFrozen(document: unknown): boolean {
  const now = numberAt(document, "data", "now_ms") ?? 0;
  const sampled = numberAt(document, "data", "system", "srs_sample_time") ?? 0;
  return now - sampled > 60_000;
}

/** Percentages that are shares already. */
function machineFields(system: unknown): FieldReading[] {
  return [
    shareReading("cpu", numberAt(system, "cpu_percent"), "system.cpu_percent"),
    shareReading("memory", numberAt(system, "mem_ram_percent"), "system.mem_ram_percent"),
  ];
}

function streamFields(pages: Replies): [FieldReading, FieldReading] {
  const lists = pages.map(({ body }) => streamsIn(body));
  const bad = lists.indexOf(undefined);
  const from = "publish.active";
  if (bad >= 0) {
    const problem = pages[bad]?.problem ?? "expected a list of streams, got something else";
    return [
      { field: "viewers", from: "clients", problem },
      { field: "streams", from, problem },
    ];
  }
  const streams = lists.flatMap((list) => list ?? []);
  const viewers = streams.reduce<number>((sum, stream) => sum + viewersOf(stream), 0);
  const isCut = lists.length === PAGES_MAX && lists.at(-1)?.length === PAGE;
  const remark = isCut ? `more than ${PAGE * PAGES_MAX} streams: the rest was not asked for` : undefined;
  return [
    numberReading("viewers", viewers, "sum of clients, without publishers", remark),
    streamsReading(streams.filter(isActive).map(nameOf), from, remark),
  ];
}

function streamsIn(body: string): readonly unknown[] | undefined {
  const parsed = parseJson(body);
  if (parsed.kind === "unreadable" || numberAt(parsed.document, "code") !== 0) return undefined;
  return Array.isArray(valueAt(parsed.document, "streams")) ? listAt(parsed.document, "streams") : undefined;
}

function viewersOf(stream: unknown): number {
  const clients = numberAt(stream, "clients") ?? 0;
  return Math.max(0, clients - (isActive(stream) && !isPulled(stream) ? 1 : 0));
}

function isActive(stream: unknown): boolean {
  return valueAt(stream, "publish", "active") === true;
}

/** A stream that an edge pulls from its origin: it has no publisher among its clients, and counts no frames. */
function isPulled(stream: unknown): boolean {
  return numberAt(stream, "frames") === 0 && numberAt(stream, "kbps", "recv_30s") === 0;
}

/** On an edge a stream is called as its player asks for it. */
function nameOf(stream: unknown): string {
  const name = textAt(stream, "name") ?? "";
  return `${textAt(stream, "app") ?? ""}/${isPulled(stream) ? name.replace(/\.flv$/, "") : name}`;
}
