import { formatAddress } from "../base/address.ts";
import type { Address } from "../model/address.ts";
import type {
  DnsProbe,
  HlsProbe,
  HttpProbe,
  HttpTarget,
  NoProbe,
  Probe,
  ProbeTiming,
  RtmpProbe,
  TcpProbe,
  WebSocketProbe,
} from "../model/edge.ts";
import type { Report } from "./report.ts";
import type { ProbeInput } from "./schema-probe.ts";
import { USUAL_PROBE_TIMEOUT_MS, timeoutOf } from "./timing.ts";

/** What a probe takes from the edge it belongs to. */
export interface ProbedEdge {
  readonly addresses: readonly Address[];
  readonly url?: string | undefined;
}

type Timed<Input> = Input & { readonly timeout: number };

type Input<T> = Timed<Extract<ProbeInput, { type: T }>>;

type Builders = {
  readonly [T in ProbeInput["type"]]: (
    input: Input<T>,
    edge: ProbedEdge,
    report: Report,
  ) => Probe | undefined;
};

/** One entry for each type of probe. */
const builders: Builders = {
  http: httpProbe,
  tcp: tcpProbe,
  rtmp: rtmpProbe,
  websocket: webSocketProbe,
  hls: hlsProbe,
  dns: dnsProbe,
  none: noProbe,
};

/**
 * The probe as the prober wants it; undefined when something was reported that leaves it without a target, be it of the
 * edge, that it has neither addresses nor url.
 */
export function buildProbe(input: ProbeInput, edge: ProbedEdge, report: Report): Probe | undefined {
  const timeout = timeoutOf(input, USUAL_PROBE_TIMEOUT_MS, report, ["timeout"], "a probe");
  const build = builders[input.type] as (i: Timed<ProbeInput>, e: ProbedEdge, r: Report) => Probe | undefined;
  return build({ ...input, timeout }, edge, report);
}

function noProbe(): NoProbe {
  return { type: "none" };
}

function tcpProbe(input: Input<"tcp">, edge: ProbedEdge, report: Report): TcpProbe {
  checkAddresses(edge, report);
  return { type: "tcp", ...timingOf(input), port: input.port };
}

function rtmpProbe(input: Input<"rtmp">, edge: ProbedEdge, report: Report): RtmpProbe {
  checkAddresses(edge, report);
  const { secure, application } = input;
  return {
    type: "rtmp",
    ...timingOf(input),
    port: input.port ?? (secure ? 443 : 1935),
    host: input.host ?? new URL(originOf(edge) ?? "http://localhost").hostname,
    ...(secure ? { tls: input.tls } : {}),
    ...(application === undefined ? {} : { application }),
  };
}

function dnsProbe(input: Input<"dns">, edge: ProbedEdge, report: Report): DnsProbe {
  checkAddresses(edge, report);
  const { name, record, rcode, port, transport, answer = rcode === "NOERROR" } = input;
  return { type: "dns", ...timingOf(input), port, transport, name, record, rcode, answer };
}

function httpProbe(input: Input<"http">, edge: ProbedEdge, report: Report): HttpProbe | undefined {
  const target = httpTarget(input, edge, report);
  if (target === undefined) return undefined;
  const { body, headers } = input;
  return {
    type: "http",
    ...timingOf(input),
    ...target,
    status: [...new Set([input.status].flat(2))].sort((a, b) => a - b),
    ...(body === undefined ? {} : { body }),
    ...(headers === undefined ? {} : { headers }),
  };
}

function hlsProbe(input: Input<"hls">, edge: ProbedEdge, report: Report): HlsProbe | undefined {
  if (input.url === undefined && input.path === undefined) {
    report([], "has no playlist to ask for; give path, as /live/stream/index.m3u8");
    return undefined;
  }
  const target = httpTarget(input, edge, report);
  return target && { type: "hls", ...timingOf(input), ...target, hosts: hostsOf(target, edge) };
}

function webSocketProbe(input: Input<"websocket">, edge: ProbedEdge): WebSocketProbe | undefined {
  const origin = originOf(edge);
  if (origin === undefined) return undefined;
  const url = new URL(new URL(origin).origin + input.path);
  url.protocol = (input.secure ?? url.protocol === "https:") ? "wss:" : "ws:";
  if (input.port !== undefined) url.port = String(input.port);
  return {
    type: "websocket",
    ...timingOf(input),
    url: url.href,
    host: input.host ?? url.host,
    ...(input.protocol === undefined ? {} : { protocol: input.protocol }),
    ...(input.origin === undefined ? {} : { origin: input.origin }),
    tls: input.tls,
  };
}

function checkAddresses(edge: ProbedEdge, report: Report): void {
  if (edge.addresses.length === 0)
    report(["type"], "needs addresses of the edge to connect to; give addresses");
}

function httpTarget(
  input: Input<"http"> | Input<"hls">,
  edge: ProbedEdge,
  report: Report,
): HttpTarget | undefined {
  if (input.url !== undefined && input.path !== undefined) {
    report(["path"], "given beside url, which has a path already; keep one of the two");
  }
  const base = originOf(edge);
  const target = input.url ?? (base && base + (input.path ?? "/"));
  if (target === undefined) return undefined;
  const url = new URL(target);
  if (input.port !== undefined) url.port = String(input.port);
  return { url: url.href, host: input.host ?? url.host, tls: input.tls };
}

/** Where absolute URIs in playlists may lead: to the edge as it is configured, at the probe's port or the url's. */
function hostsOf(target: HttpTarget, edge: ProbedEdge): string[] {
  const { port, protocol } = new URL(target.url);
  const at = (hostname: string): string =>
    new URL(`${protocol}//${hostname}${port === "" ? "" : `:${port}`}`).host;
  const urlHost = edge.url === undefined ? [] : [new URL(edge.url).host, at(new URL(edge.url).hostname)];
  return [...new Set([target.host, ...urlHost, ...edge.addresses.map((address) => at(bracketed(address)))])];
}

/** Scheme and host to ask, with the path that stands before every other. */
function originOf({ url, addresses: [first] }: ProbedEdge): string | undefined {
  return url ?? (first && `http://${bracketed(first)}`);
}

function bracketed(address: Address): string {
  return address.family === 6 ? `[${formatAddress(address)}]` : formatAddress(address);
}

function timingOf({ interval, timeout, rise, fall }: Timed<ProbeInput>): ProbeTiming {
  return { intervalMs: interval, timeoutMs: timeout, rise, fall };
}
