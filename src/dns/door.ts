/**
 * The DNS door: names and sockets around one responder.
 *
 * ```
 * zones, services ─► namespace ─┐
 * decide ───────────────────────┼─► responder ◄─► udp, tcp ◄─► resolvers
 * counters ◄────────────────────┘
 * ```
 */
import { randomBytes } from "node:crypto";
import { formatEndpoint } from "../base/endpoint.ts";
import type { Decide } from "../model/decision.ts";
import type { DnsSettings } from "../model/dns-settings.ts";
import type { Endpoint } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource } from "../model/metrics.ts";
import type { Zone } from "../model/zone.ts";
import type { ConnectionLimits } from "./connections.ts";
import { counterCells, createDnsCounters, type DnsCounters, dnsMetrics, type Transport } from "./counters.ts";
import { faultReporter } from "./fault.ts";
import { type Listener, isPortToChoose, PORT_ATTEMPTS } from "./listen.ts";
import { compileNamespace, type NamedService } from "./namespace.ts";
import { createResponder, type Responder } from "./responder.ts";
import { listenTcp } from "./tcp.ts";
import { listenUdp } from "./udp.ts";

export interface DnsDoorOptions {
  readonly endpoints: readonly Endpoint[];
  /** What answers on each; by default UDP and TCP, and with port 0 both get the same port. */
  readonly transports?: readonly Transport[];
  readonly zones: readonly Zone[];
  readonly services: readonly NamedService[];
  /** Left out: nothing is told of this server. */
  readonly dns?: DnsSettings;
  readonly decide: Decide;
  readonly log: Log;
  /** As `ResponderOptions.cookieSecrets`; left out: a random one until the door is stopped. */
  readonly cookieSecrets?: readonly [Uint8Array, ...Uint8Array[]];
  readonly tcpLimits?: ConnectionLimits;
  /** Where to count, as `createDnsCounters`; left out: for `metrics` here alone. */
  readonly cells?: Float64Array;
}

export interface DnsDoor {
  /** Where it really listens, in the order asked. */
  readonly endpoints: readonly Endpoint[];
  readonly metrics: MetricSource;
  /**
   * Replaces all names at once.
   * @throws if they cannot be compiled, which the configuration has checked before; the old ones stay
   */
  take(zones: readonly Zone[], services: readonly NamedService[], dns?: DnsSettings): void;
  /** Frees the addresses; open connections are closed. */
  stop(): Promise<void>;
}

/**
 * Answers once all addresses are listened on.
 * @throws an Error of one line if one of them cannot be; then none is
 */
export async function startDnsDoor(options: DnsDoorOptions): Promise<DnsDoor> {
  const { log, decide, zones, services } = options;
  const cells = options.cells ?? new Float64Array(counterCells());
  const counters = createDnsCounters(cells);
  const responder = createResponder({
    namespace: compileNamespace(zones, services, options.dns),
    decide,
    counters,
    cookieSecrets: options.cookieSecrets ?? [randomBytes(16)],
    onFault: faultReporter(log),
  });
  const listeners = await openAll(options, { responder, counters });
  const endpoints = listeners.flatMap(([first]) => (first === undefined ? [] : [first.endpoint]));
  for (const endpoint of endpoints) log.info({ endpoint: formatEndpoint(endpoint) }, "answering DNS");
  return {
    endpoints,
    metrics: () => dnsMetrics([cells]),
    take: (...names) => responder.take(compileNamespace(...names)),
    stop: () => stopAll(listeners.flat()),
  };
}

interface Inside {
  readonly responder: Responder;
  readonly counters: DnsCounters;
}

/** UDP and TCP of each endpoint; all, or after closing what was opened, none. */
async function openAll(options: DnsDoorOptions, inside: Inside): Promise<Listener[][]> {
  const opened: Listener[][] = [];
  try {
    for (const endpoint of options.endpoints) opened.push(await openEndpoint(endpoint, options, inside));
    return opened;
  } catch (error) {
    await stopAll(opened.flat());
    throw error;
  }
}

function openEndpoint(endpoint: Endpoint, options: DnsDoorOptions, inside: Inside): Promise<Listener[]> {
  const { transports = ["udp", "tcp"] } = options;
  if (transports.length > 1) return openBoth(endpoint, options, inside);
  return Promise.all(transports.map((one) => (one === "udp" ? openUdp : openTcp)(endpoint, options, inside)));
}

async function openBoth(endpoint: Endpoint, options: DnsDoorOptions, inside: Inside): Promise<Listener[]> {
  for (let attempt = 1; ; attempt++) {
    const udp = await openUdp(endpoint, options, inside);
    try {
      return [udp, await openTcp(udp.endpoint, options, inside)];
    } catch (error) {
      await udp.stop();
      if (!isPortToChoose(endpoint, error) || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

function openUdp(endpoint: Endpoint, { log }: DnsDoorOptions, inside: Inside): Promise<Listener> {
  const { responder, counters } = inside;
  return listenUdp(endpoint, { respond: responder.respond, counters, log });
}

function openTcp(endpoint: Endpoint, { log, tcpLimits }: DnsDoorOptions, inside: Inside): Promise<Listener> {
  const limits = tcpLimits === undefined ? {} : { limits: tcpLimits };
  const { responder, counters } = inside;
  return listenTcp(endpoint, {
    respond: responder.respond,
    dropped: (reason) => counters.dropped(reason),
    log,
    ...limits,
  });
}

async function stopAll(listeners: readonly Listener[]): Promise<void> {
  await Promise.all(listeners.map((listener) => listener.stop()));
}
