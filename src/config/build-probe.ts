import { formatAddress } from "../base/address.ts";
import type { Address } from "../model/address.ts";
import type { HttpProbe, NoProbe, Probe, ProbeTiming, TcpProbe } from "../model/edge.ts";
import type { Report } from "./report.ts";
import type { ProbeInput } from "./schema-probe.ts";

/** What a probe takes from the edge it belongs to. */
export interface ProbedEdge {
  readonly addresses: readonly Address[];
  readonly url?: string | undefined;
}

type Input<T> = Extract<ProbeInput, { type: T }>;

type Builders = {
  readonly [T in ProbeInput["type"]]: (
    input: Input<T>,
    edge: ProbedEdge,
    report: Report,
  ) => Probe | undefined;
};

/** One entry for each type of probe. */
const builders: Builders = { http: httpProbe, tcp: tcpProbe, none: noProbe };

/** The probe as the prober wants it; undefined when something was reported that leaves it without a target. */
export function buildProbe(input: ProbeInput, edge: ProbedEdge, report: Report): Probe | undefined {
  if (input.timeout > input.interval) {
    report(["timeout"], "longer than the interval; a probe must end before the next starts");
  }
  const build = builders[input.type] as (i: ProbeInput, e: ProbedEdge, r: Report) => Probe | undefined;
  return build(input, edge, report);
}

function noProbe(): NoProbe {
  return { type: "none" };
}

function tcpProbe(input: Input<"tcp">, edge: ProbedEdge, report: Report): TcpProbe {
  if (edge.addresses.length === 0)
    report(["type"], "needs addresses of the edge to connect to; give addresses");
  return { type: "tcp", ...timingOf(input), port: input.port };
}

function httpProbe(input: Input<"http">, edge: ProbedEdge, report: Report): HttpProbe | undefined {
  if (input.url !== undefined && input.path !== undefined) {
    report(["path"], "given beside url, which has a path already; keep one of the two");
  }
  const target = input.url ?? edgeTarget(input, edge);
  if (target === undefined) {
    report([], "has nothing to ask: the edge has neither url nor addresses; give url");
    return undefined;
  }
  const url = new URL(target);
  if (input.port !== undefined) url.port = String(input.port);
  return {
    type: "http",
    ...timingOf(input),
    url: url.href,
    host: input.host ?? url.host,
    status: [...new Set([input.status].flat(2))].sort((a, b) => a - b),
    ...(input.body === undefined ? {} : { body: input.body }),
    tls: input.tls,
  };
}

function edgeTarget(input: Input<"http">, edge: ProbedEdge): string | undefined {
  const [first] = edge.addresses;
  if (edge.url !== undefined) return edge.url + (input.path ?? "/");
  return first && `http://${bracketed(first)}${input.path ?? "/"}`;
}

function bracketed(address: Address): string {
  return address.family === 6 ? `[${formatAddress(address)}]` : formatAddress(address);
}

function timingOf({ interval, timeout, rise, fall }: ProbeInput): ProbeTiming {
  return { intervalMs: interval, timeoutMs: timeout, rise, fall };
}
