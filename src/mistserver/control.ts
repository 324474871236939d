import type { LoadReport } from "../model/condition.ts";
import type { MistStream } from "../model/mistserver.ts";
import { hostOf } from "./host.ts";
import type { MistReply, Server } from "./reply.ts";
import { GEO_WEIGHT, limitOf, scoresOf, sentBy, tagsOf, WEIGHTS } from "./score.ts";

/** What operators and their scripts ask at `/`. */
export function controlReply(given: ReadonlyMap<string, string>, servers: readonly Server[]): MistReply {
  for (const key of ["addserver", "delserver"] as const)
    if (given.has(key))
      return {
        status: 403,
        body: "servers are edges of the configuration; nothing can be changed here",
        call: "refused",
      };
  const weights = given.get("weights");
  if (weights !== undefined)
    return weights.startsWith("{")
      ? { status: 403, body: "distance and price decide; nothing can be changed here", call: "refused" }
      : control(JSON.stringify({ bonus: 0, ...WEIGHTS, geo: GEO_WEIGHT }));
  if (given.has("lstserver"))
    return pretty(servers.map((server) => [monitoredName(server), stateOf(server)]));
  if (given.has("viewers")) return pretty(viewersByStream(servers));
  const stats = given.get("streamstats");
  if (stats !== undefined) return pretty(streamStats(servers, stats));
  const stream = given.get("stream");
  if (stream !== undefined)
    return control(String(viewersByStream(servers).find(([name]) => name === stream)?.[1] ?? 0));
  const host = given.get("host");
  if (host === undefined)
    return pretty(servers.map((server) => [hostOf(server.edge) ?? server.edge.id, view(server)]));
  const server = servers.find(({ edge }) => hostOf(edge) === host);
  return pretty([[host, server === undefined ? "Server not monitored" : view(server)]]);
}

function control(body: string): MistReply {
  return { status: 200, body, call: "control" };
}

/** With tabs and keys in order, as the balancer prints. */
function pretty(entries: readonly (readonly [string, unknown])[]): MistReply {
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  return control(`${JSON.stringify(Object.fromEntries(sorted), null, "\t")}\n`);
}

function isOnline({ condition }: Server): boolean {
  return condition?.reportAgeMs !== undefined && Object.keys(condition.load).length > 0;
}

function stateOf(server: Server): string {
  return isOnline(server) ? "Monitored (online)" : "Monitored (error)";
}

/** As the balancer's `-s` would name it: where its load is read. */
function monitoredName({ edge }: Server): string {
  const [source] = edge.load;
  return source === undefined || source.type === "push"
    ? (hostOf(edge) ?? edge.id)
    : new URL(source.url).host;
}

function view(server: Server): unknown {
  if (!isOnline(server)) return stateOf(server);
  const { edge, condition } = server;
  const load: LoadReport = condition?.load ?? {};
  return {
    bwlimit: limitOf(server),
    cpu: Math.round((load.cpu ?? 0) * 100),
    down: 0,
    geo: { lat: edge.location.latitude, loc: edge.id, lon: edge.location.longitude },
    ram: Math.round((load.memory ?? 0) * 100),
    score: scoresOf(server),
    streams: load.streams?.length ?? 0,
    tags: tagsOf(server),
    up: sentBy(server),
    up_add: 0,
    viewers: load.viewers ?? 0,
  };
}

function viewersByStream(servers: readonly Server[]): [string, number][] {
  const sums = new Map<string, number>();
  for (const { name, viewers } of streamsOf(servers)) sums.set(name, (sums.get(name) ?? 0) + viewers);
  return [...sums];
}

/**
 * `[viewers, octets per second and connection, octets out, octets in]`, by stream; a name stands for its instances
 * too.
 */
function streamStats(servers: readonly Server[], wanted: string): [string, number[]][] {
  const sums = new Map<string, [number, number, number, number]>();
  for (const server of servers)
    for (const { name, viewers, octetsOut, octetsIn } of streamsOf([server])) {
      if (wanted !== "*" && wanted !== "" && name !== wanted && !name.startsWith(`${wanted}+`)) continue;
      const sum = sums.get(name) ?? [0, 0, 0, 0];
      sums.set(name, [sum[0] + viewers, perViewer(server), sum[2] + octetsOut, sum[3] + octetsIn]);
    }
  return [...sums];
}

function perViewer({ condition }: Server): number {
  const { viewers = 0, bandwidth = 0 } = condition?.load ?? {};
  return viewers === 0 ? 0 : Math.round(bandwidth / 8 / viewers);
}

/** Where a server is not MistServer, its streams are known by name alone. */
function streamsOf(servers: readonly Server[]): Told[] {
  return servers.filter(isOnline).flatMap(({ condition, details }): readonly Told[] => {
    if (details !== undefined) return details.streams;
    const names = condition?.load.streams ?? [];
    return names.map((name) => ({ name, viewers: 0, octetsOut: 0, octetsIn: 0 }));
  });
}

type Told = Pick<MistStream, "name" | "viewers" | "octetsOut" | "octetsIn">;
