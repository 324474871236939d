import type { Address } from "../model/address.ts";
import type { NoProbe, Probe } from "../model/edge.ts";
import type { ProbeContext } from "./attempt.ts";
import { probeDns } from "./dns.ts";
import { probeHls } from "./hls.ts";
import { probeHttp } from "./http.ts";
import type { ProbeResult } from "./result.ts";
import { probeRtmp } from "./rtmp.ts";
import { probeTcp } from "./tcp.ts";
import { probeWebSocket } from "./websocket.ts";

/** A probe that does something. */
export type ActiveProbe = Exclude<Probe, NoProbe>;

/** One probe of one address. Never rejects, ends within the probe's timeout, leaves nothing open. */
export type RunProbe<P extends ActiveProbe = ActiveProbe> = (
  address: Address,
  probe: P,
  context: ProbeContext,
) => Promise<ProbeResult>;

/** One file per type: a new type is a file and a line here. */
const byType: { readonly [T in ActiveProbe["type"]]: RunProbe<Extract<ActiveProbe, { type: T }>> } = {
  http: probeHttp,
  tcp: probeTcp,
  rtmp: probeRtmp,
  websocket: probeWebSocket,
  hls: probeHls,
  dns: probeDns,
};

export const runProbe: RunProbe = (address, probe, context) =>
  (byType[probe.type] as RunProbe)(address, probe, context);
