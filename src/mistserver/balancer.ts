import { formatAddress } from "../base/address.ts";
import type { Client } from "../model/client.ts";
import type { Bias, Choice, Decision } from "../model/decision.ts";
import type { Edge } from "../model/edge.ts";
import type { MistBalancer } from "../model/mistserver.ts";
import { controlReply } from "./control.ts";
import { hostFor } from "./host.ts";
import { outputUrl } from "./outputs.ts";
import type { MistReply, Server } from "./reply.ts";
import { tagBias } from "./tag-adjust.ts";
import { type Asked, type MistRequest, type Place, readRequest } from "./request.ts";

/** What the answers are made of. */
export interface BalancerContext {
  readonly settings: MistBalancer;
  /** For a stream; counted where a viewer is really sent there. */
  readonly decide: (asked: Wanted, isCounted: boolean) => Decision | undefined;
  /** Of the service, in its order. */
  readonly servers: () => readonly Server[];
}

export interface Wanted {
  readonly client: Client;
  readonly stream: string;
  /** Where the viewer is, if whoever asks says so. */
  readonly place?: Place;
  /** What it asks of servers' tags. */
  readonly bias?: Bias;
}

/**
 * Answers as MistServer's balancer does, from our own decisions: `/STREAM` to players, `/?source=` and `/?ingest=` to
 * servers, the rest to operators. Nothing can be changed here.
 */
export function mistReply(request: MistRequest, context: BalancerContext): MistReply {
  if (request.method !== "GET" && request.method !== "HEAD")
    return { status: 405, body: "only GET and HEAD", call: "refused" };
  const asked = readRequest(request);
  if (asked.name === "favicon.ico") return { status: 404, body: "", call: "refused" };
  if (asked.name !== "") return streamReply(asked, request.client, context);
  const source = asked.arguments.get("source");
  if (source !== undefined) return sourceReply(source, asked, request.client, context);
  const ingest = asked.arguments.get("ingest");
  if (ingest !== undefined) return ingestReply(Number(ingest), asked, request.client, context);
  return controlReply(asked.arguments, context.servers());
}

const NAME_LENGTH_MAX = 512;

/** Without `proto` the host, with it the whole address: of the best edge that has such an output. */
function streamReply(asked: Asked, client: Client, context: BalancerContext): MistReply {
  const { settings } = context;
  const call = "stream";
  if (asked.name.length > NAME_LENGTH_MAX) return { status: 404, body: "no such stream", call };
  const { family } = client.address;
  const choices = context.decide(wantedBy(asked.name, asked, client, context), true)?.edges ?? [];
  const proto = asked.arguments.get("proto");
  if (proto === undefined || proto === "") {
    return { status: 200, body: firstHost(choices, client) ?? settings.fallback, call };
  }
  const details = new Map(context.servers().map((server) => [server.edge.id, server.details]));
  for (const choice of choices) {
    const outputs = { ...settings.outputs, ...details.get(choice.edge.id)?.outputs };
    const url = outputUrl(hostFor(choice, family), outputs, proto, asked.name);
    if (url !== undefined) return { status: 307, location: url + asked.rest, body: url + asked.rest, call };
  }
  if (choices.length > 0) return { status: 404, body: "no server has this output", call };
  return { status: 200, body: settings.fallback, call };
}

/** Of the best edge that has the stream from its origin, other than the one that asks. */
function sourceReply(stream: string, asked: Asked, client: Client, context: BalancerContext): MistReply {
  const having = new Map(context.servers().map((server) => [server.edge.id, server]));
  const host = firstHost(
    ordered(stream, asked, client, context).filter(
      ({ edge }) => !isAt(edge, client) && hasInput(having.get(edge.id), stream),
    ),
    client,
  );
  const body = host === undefined ? fallbackOf(asked, context) : `dtsc://${host}`;
  return { status: 200, body, call: "source" };
}

/** Of the best edge that has so many percent of CPU left. */
function ingestReply(percent: number, asked: Asked, client: Client, context: BalancerContext): MistReply {
  const wanted = Number.isFinite(percent) ? Math.max(percent, 0) / 100 : 0;
  const loads = new Map(context.servers().map(({ edge, condition }) => [edge.id, condition?.load]));
  const host = firstHost(
    ordered("", asked, client, context).filter(({ edge }) => (loads.get(edge.id)?.cpu ?? 0) + wanted <= 1),
    client,
  );
  return { status: 200, body: host ?? fallbackOf(asked, context), call: "ingest" };
}

function ordered(stream: string, asked: Asked, client: Client, context: BalancerContext): readonly Choice[] {
  return context.decide(wantedBy(stream, asked, client, context), false)?.edges ?? [];
}

function firstHost(choices: readonly Choice[], { address }: Client): string | undefined {
  return choices.map((choice) => hostFor(choice, address.family)).find((host) => host !== undefined);
}

function wantedBy(
  stream: string,
  { place, tagAdjust }: Asked,
  client: Client,
  { servers }: BalancerContext,
): Wanted {
  return {
    client,
    stream,
    ...(place === undefined ? {} : { place }),
    ...(tagAdjust.size === 0 ? {} : { bias: tagBias(tagAdjust, servers) }),
  };
}

function fallbackOf(asked: Asked, { settings }: BalancerContext): string {
  return asked.arguments.get("fallback") || settings.fallback;
}

function hasInput(server: Server | undefined, stream: string): boolean {
  const details = server?.details;
  if (details === undefined) return server?.condition?.load.streams?.includes(stream) ?? false;
  return details.streams.some(({ name, inputs, isReplica }) => name === stream && inputs > 0 && !isReplica);
}

function isAt({ addresses }: Edge, { address }: Client): boolean {
  const text = formatAddress(address);
  return addresses.some((own) => formatAddress(own) === text);
}
