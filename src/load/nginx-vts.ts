import type { StatusLoad } from "../model/edge.ts";
import { type Amounts, advance, type Counters, type Moment } from "./counters.ts";
import { membersAt, numberAt, parseJson, textAt, valueAt } from "./document.ts";
import {
  type FieldReading,
  numberReading,
  type PullRequest,
  type Reading,
  type Replies,
  type SourceType,
  streamsReading,
  unreadable,
} from "./source.ts";
import { bandwidthReading } from "./rates.ts";
import { under } from "./url.ts";

/**
 * What nginx says of its HTTP zones: nginx-module-vts; Angie's `/status/`, which has the same in one tree; and
 * NGINX Plus, whose API (a url that ends in `/api/N`) has it on several pages.
 */
export const nginxVtsSource: SourceType<StatusLoad<"nginx-vts">> = {
  requests: ({ url }) => (isPlus(url) ? plusRequests(url) : [{ url }]),
  read: ({ url }, replies, before) => (isPlus(url) ? readPlus(replies, before) : readTree(replies, before)),
};

function readTree(replies: Replies, before: Counters | undefined): Reading {
  const parsed = parseJson(replies[0]?.body ?? "");
  if (parsed.kind === "unreadable") return parsed;
  const { document } = parsed;
  const receivedAtMs = replies[0]?.receivedAtMs ?? 0;
  if (valueAt(document, "serverZones") !== undefined) return readVts(document, receivedAtMs, before);
  if (valueAt(document, "angie") !== undefined) return readAngie(document, receivedAtMs, before);
  const error = textAt(document, "error");
  return unreadable(
    error === undefined ? "expected the status of nginx-module-vts or Angie, got other JSON" : NO_SUCH_PAGE,
  );
}

const NO_SUCH_PAGE = "it answers with an error: no such page in its API";

/** The zone `*` is the sum of the others. */
function readVts(document: unknown, receivedAtMs: number, before: Counters | undefined): Reading {
  const sent = numberAt(document, "serverZones", "*", "outBytes");
  const moment = momentOf(receivedAtMs, {
    clockMs: numberAt(document, "nowMsec"),
    life: numberAt(document, "loadMsec"),
  });
  const memory = advance(before, sent === undefined ? {} : { "*": sent }, moment);
  return zonesReading(
    numberReading("viewers", numberAt(document, "connections", "active"), "connections.active"),
    'serverZones["*"].outBytes × 8 per second',
    memory,
    [streamsOf(document)],
  );
}

function readAngie(document: unknown, receivedAtMs: number, before: Counters | undefined): Reading {
  const zones = membersAt(document, "http", "server_zones");
  const life = `${textAt(document, "angie", "load_time")} ${numberAt(document, "angie", "generation")}`;
  const sent = sentBy(zones, "data", "sent");
  const memory = advance(before, sent, { receivedAtMs, life });
  const from = "http.server_zones.*.data.sent × 8 per second";
  return zonesReading(activeAndIdle(valueAt(document, "connections"), "connections"), from, memory);
}

function readPlus(replies: Replies, before: Counters | undefined): Reading {
  const [connections, zones, nginx] = replies.map(({ body }) => parseJson(body));
  if (connections?.kind !== "document" || zones?.kind !== "document")
    return unreadable("expected the API of NGINX Plus, got something else");
  if (numberAt(connections.document, "active") === undefined) return unreadable(NO_SUCH_PAGE);
  const started = nginx?.kind === "document" ? textAt(nginx.document, "load_timestamp") : undefined;
  const sent = sentBy(membersAt(zones.document), "sent");
  const receivedAtMs = replies[1]?.receivedAtMs ?? 0;
  const memory = advance(before, sent, momentOf(receivedAtMs, { life: started }));
  const from = "http/server_zones/*/sent × 8 per second";
  return zonesReading(activeAndIdle(connections.document, "connections"), from, memory);
}

function zonesReading(
  viewers: FieldReading,
  from: string,
  memory: Counters,
  others: readonly FieldReading[] = [],
): Reading {
  const names = Object.keys(memory.values);
  const bandwidth: FieldReading =
    names.length === 0
      ? { field: "bandwidth", from, problem: "it has no zone: give its servers a status_zone" }
      : bandwidthReading(memory, from);
  return {
    kind: "fields",
    fields: [viewers, bandwidth, ...others],
    memory,
    again: names.length > 0 && memory.gap === "first",
  };
}

/** Here, `active` leaves out the connections that idle. */
function activeAndIdle(connections: unknown, name: string): FieldReading {
  const active = numberAt(connections, "active");
  const idle = numberAt(connections, "idle");
  const all = active === undefined || idle === undefined ? undefined : active + idle;
  return numberReading("viewers", all, `${name}.active + idle`);
}

function sentBy(zones: readonly [string, unknown][], ...path: readonly string[]): Amounts {
  const sent = zones.flatMap(([name, zone]) => {
    const octets = numberAt(zone, ...path);
    return octets === undefined ? [] : [[name, octets] as const];
  });
  return Object.fromEntries(sent);
}

/** Filters whose group begins with `stream` are by stream, as the example in the module's documentation. */
function streamsOf(document: unknown): FieldReading {
  const from = "filterZones of stream…";
  const groups = membersAt(document, "filterZones").filter(([group]) => group.startsWith("stream"));
  if (groups.length === 0)
    return { field: "streams", from, problem: "no vhost_traffic_status_filter_by_set_key by stream" };
  return streamsReading(
    groups.flatMap(([, zone]) => membersAt(zone).map(([name]) => name)),
    from,
  );
}

function momentOf(
  receivedAtMs: number,
  parts: { clockMs?: number | undefined; life?: string | number | undefined },
): Moment {
  const { clockMs, life } = parts;
  return {
    receivedAtMs,
    ...(clockMs === undefined ? {} : { clockMs }),
    ...(life === undefined ? {} : { life }),
  };
}

function isPlus(url: string): boolean {
  return /\/api\/\d+\/?$/.test(new URL(url).pathname);
}

function plusRequests(url: string): PullRequest[] {
  return [
    { url: under(url, "connections") },
    { url: under(url, "http/server_zones") },
    { url: under(url, "nginx"), optional: true },
  ];
}
