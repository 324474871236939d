import type { WowzaLoad } from "../model/edge.ts";
import { advance, type Counters } from "./counters.ts";
import { isObject, listAt, membersAt, numberAt, numberIn, parseJson, textAt, valueAt } from "./document.ts";
import {
  type FieldReading,
  numberReading,
  type PullRequest,
  type Reading,
  type Replies,
  type Reply,
  shareReading,
  streamsReading,
  unreadable,
} from "./source.ts";
import { bandwidthReading } from "./rates.ts";
import { under } from "./url.ts";
import { childrenOf, childText, type Element, parseXml } from "./xml.ts";

/** The machine, then the traffic of one application or of the whole virtual host, then an application's streams. */
export function restRequests({ url, application }: WowzaLoad): PullRequest[] {
  const base = rootOf(url);
  const host = "v2/servers/_defaultServer_/vhosts/_defaultVHost_";
  const app = application === undefined ? host : `${host}/applications/${encodeURIComponent(application)}`;
  const ask = (path: string, optional?: true): PullRequest => ({
    url: under(base, path),
    headers: { accept: "application/json" },
    ...(optional ? { optional } : {}),
  });
  return [
    ask("v2/machine/monitoring/current"),
    ask(`${app}/monitoring/current`, true),
    ...(application === undefined ? [] : [ask(`${app}/instances/_definst_`, true)]),
  ];
}

/** Without the version in its path, and whatever stands behind that: a host may be called `v2`, too. */
function rootOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname.replace(/\/v\d+\b.*$/, "");
}

/** `cpuIdle` and its like are percentages; rates are octets per second, and missing for a whole virtual host. */
export function readRest(
  { application }: WowzaLoad,
  replies: Replies,
  before: Counters | undefined,
): Reading {
  const [machineReply, trafficReply, instance] = replies;
  const machine = documentIn(machineReply?.body ?? "");
  if (machine === undefined || numberAt(machine, "cpuIdle") === undefined)
    return unreadable("expected what Wowza's REST interface says of the machine, got something else");
  const { body = "", receivedAtMs = 0 } = trafficReply ?? {};
  const traffic = trafficReply?.problem === undefined ? documentIn(body) : undefined;
  const sent = numberAt(traffic, "bytesOut");
  const uptime = numberAt(traffic, "uptime") ?? 0;
  const memory = sent === undefined ? undefined : advance(before, { sent }, { receivedAtMs, uptime });
  return {
    kind: "fields",
    fields: [
      viewersReading(traffic, trafficReply),
      bandwidth(traffic, trafficReply, memory),
      shareReading("cpu", cpuShare(machine), "1 - cpuIdle ÷ 100"),
      shareReading("memory", memoryShare(machine), "memoryUsed ÷ (memoryUsed + memoryFree)"),
      ...(application === undefined ? [] : [streamsOf(application, instance)]),
    ],
    ...(memory === undefined ? {} : { memory, again: isCounted(traffic) && memory.gap === "first" }),
  };
}

function viewersReading(traffic: unknown, reply: Reply | undefined): FieldReading {
  const from = "sum of connectionCount";
  if (traffic === undefined) return { field: "viewers", from, problem: reply?.problem ?? "no such page" };
  const counts = membersAt(traffic, "connectionCount").map(([, count]) => numberIn(count) ?? 0);
  const sum = counts.length === 0 ? undefined : counts.reduce((a, b) => a + b, 0);
  return numberReading("viewers", sum ?? numberAt(traffic, "totalConnections"), from);
}

function bandwidth(traffic: unknown, reply: Reply | undefined, memory: Counters | undefined): FieldReading {
  if (!isCounted(traffic)) {
    const rate = numberAt(traffic, "bytesOutRate") ?? Number.NaN;
    return numberReading("bandwidth", rate * 8, "bytesOutRate × 8");
  }
  const from = "bytesOut × 8 per second";
  if (memory !== undefined) return bandwidthReading(memory, from);
  return { field: "bandwidth", from, problem: reply?.problem ?? `nothing at bytesOut` };
}

function isCounted(traffic: unknown): boolean {
  return numberAt(traffic, "bytesOutRate") === undefined;
}

/**
 * Where all percentages are 0, or one is below, nothing was measured yet: it does not say that a server that starts
 * is full.
 */
function cpuShare(machine: unknown): number {
  const parts = ["cpuIdle", "cpuUser", "cpuSystem"].flatMap((name) => numberAt(machine, name) ?? []);
  const [idle = 0, ...busy] = parts;
  const isUnmeasured = idle < 0 || (busy.length > 0 && parts.every((part) => part === 0));
  return isUnmeasured ? -1 : 1 - idle / 100;
}

function memoryShare(machine: unknown): number | undefined {
  const used = numberAt(machine, "memoryUsed");
  const free = numberAt(machine, "memoryFree");
  return used === undefined || free === undefined || used + free <= 0 ? undefined : used / (used + free);
}

function streamsOf(application: string, reply: Reply | undefined): FieldReading {
  const from = "incomingStreams";
  if (reply?.problem !== undefined) return { field: "streams", from, problem: reply.problem };
  const parsed = parseJson(reply?.body ?? "");
  if (parsed.kind === "unreadable") return { field: "streams", from, problem: parsed.problem };
  const connected = listAt(parsed.document, "incomingStreams").filter(
    (stream) => valueAt(stream, "isConnected") === true,
  );
  const names = connected.map((stream) => textAt(stream, "name") ?? "");
  return streamsReading(
    names.map((name) => `${application}/${name}`),
    from,
  );
}

/** JSON as asked for, or the XML that some versions send all the same, with the names of the JSON. */
function documentIn(body: string): unknown {
  if (!body.trimStart().startsWith("<")) {
    const parsed = parseJson(body);
    return parsed.kind === "document" && isObject(parsed.document) ? parsed.document : undefined;
  }
  const parsed = parseXml(body);
  return parsed.kind === "element" ? objectOf(parsed.root) : undefined;
}

function objectOf(element: Element): unknown {
  const entries = childrenOf(element, "entry");
  if (entries.length > 0)
    return Object.fromEntries(entries.map((e) => [childText(e, "string") ?? "", childText(e, "long")]));
  if (element.children.length === 0) return element.text;
  return Object.fromEntries(element.children.map((child) => [lowerFirst(child.name), objectOf(child)]));
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
