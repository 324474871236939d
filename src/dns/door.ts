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
import type { Decide } from "../model/decision.ts";
import type { Endpoint } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource } from "../model/metrics.ts";
import type { Service } from "../model/service.ts";
import type { Zone } from "../model/zone.ts";
import type { ConnectionLimits } from "./connections.ts";
import { counterCells, createDnsCounters, type DnsCounters, dnsMetrics } from "./counters.ts";
import { type Listener, formatEndpoint } from "./listen.ts";
import { compileNamespace } from "./namespace.ts";
import { createResponder, type Responder } from "./responder.ts";
import { listenTcp } from "./tcp.ts";
import { listenUdp } from "./udp.ts";

export interface DnsDoorOptions {
  /** UDP and TCP on each; with port 0 both get the same port. */
  readonly endpoints: readonly Endpoint[];
  readonly zones: readonly Zone[];
  readonly services: readonly Pick<Service, "hostnames">[];
  readonly decide: Decide;
  readonly log: Log;
  /** As `ResponderOptions.cookieSecrets`; left out: a random one until the door is stopped. */
  readonly cookieSecrets?: readonly [Uint8Array, ...Uint8Array[]];
  readonly tcpLimits?: ConnectionLimits;
}

export interface DnsDoor {
  /** Where it really listens, in the order asked. */
  readonly endpoints: readonly Endpoint[];
  readonly metrics: MetricSource;
  /**
   * Replaces all names at once.
   * @throws if they cannot be compiled, which the configuration has checked before; the old ones stay
   */
  take(zones: readonly Zone[], services: readonly Pick<Service, "hostnames">[]): void;
  /** Frees the addresses; open connections are closed. */
  stop(): Promise<void>;
}

/**
 * Answers once all addresses are listened on.
 * @throws an Error of one line if one of them cannot be; then none is
 */
export async function startDnsDoor(options: DnsDoorOptions): Promise<DnsDoor> {
  const { log, decide, zones, services } = options;
  const cells = new Float64Array(counterCells());
  const counters = createDnsCounters(cells);
  const responder = createResponder({
    namespace: compileNamespace(zones, services),
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
    take: (zones, services) => responder.take(compileNamespace(zones, services)),
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
    for (const endpoint of options.endpoints) opened.push(await openBoth(endpoint, options, inside));
    return opened;
  } catch (error) {
    await stopAll(opened.flat());
    throw error;
  }
}

/** How often the system may choose a UDP port that is taken for TCP. */
const PORT_ATTEMPTS = 20;

async function openBoth(endpoint: Endpoint, options: DnsDoorOptions, inside: Inside): Promise<Listener[]> {
  const { log, tcpLimits } = options;
  const { respond } = inside.responder;
  for (let attempt = 1; ; attempt++) {
    const udp = await listenUdp(endpoint, { respond, counters: inside.counters, log });
    try {
      const limits = tcpLimits === undefined ? {} : { limits: tcpLimits };
      return [udp, await listenTcp(udp.endpoint, { respond, log, ...limits })];
    } catch (error) {
      await udp.stop();
      const isTaken = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
      if (endpoint.port !== 0 || !isTaken || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function stopAll(listeners: readonly Listener[]): Promise<void> {
  await Promise.all(listeners.map((listener) => listener.stop()));
}

const FAULT_PAUSE_MS = 10_000;

/** A bug that every query meets is told now and then, not for each. */
function faultReporter(log: Log): (error: unknown) => void {
  let quietUntilMs = 0;
  return (error) => {
    const nowMs = performance.now();
    if (nowMs < quietUntilMs) return;
    quietUntilMs = nowMs + FAULT_PAUSE_MS;
    log.error({ error }, "a DNS query could not be answered");
  };
}
