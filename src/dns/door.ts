/**
 * The DNS door: plain sockets around one answerer.
 *
 * ```
 * names, limits ─► answerer ◄─ decide
 *                     └─► responder ◄─► udp, tcp ◄─► resolvers
 * ```
 */
import { randomBytes } from "node:crypto";
import { formatEndpoint } from "../base/endpoint.ts";
import type { LineRing } from "../base/line-ring.ts";
import type { ChallengeValues } from "../model/acme.ts";
import type { Decide } from "../model/decision.ts";
import type { Endpoint } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource } from "../model/metrics.ts";
import { createAnswerer, type Served } from "./answerer.ts";
import { type Connections, createConnections } from "./connections.ts";
import { type CookieSecretsAt, secretsByDay } from "./cookie.ts";
import { counterCells, type DnsCounters, dnsMetrics, type Transport } from "./counters.ts";
import { type Listener, isPortToChoose, PORT_ATTEMPTS } from "./listen.ts";
import type { RateTable } from "./rate-limit.ts";
import type { Responder } from "./responder.ts";
import { listenTcp } from "./tcp.ts";
import { listenUdp } from "./udp.ts";

export interface DnsDoorOptions {
  readonly endpoints: readonly Endpoint[];
  /** What answers on each; by default UDP and TCP, and with port 0 both get the same port. */
  readonly transports?: readonly Transport[];
  readonly served: Served;
  readonly decide: Decide;
  readonly log: Log;
  /** As `ResponderOptions.cookieSecrets`; left out: of a random one until the door is stopped. */
  readonly cookieSecrets?: CookieSecretsAt;
  /** Where to count, as `createDnsCounters`; left out: for `metrics` here alone. */
  readonly cells?: Float64Array;
  /** As `AnswererOptions.rateTable`. */
  readonly rateTable?: RateTable;
  /** As `AnswererOptions.challenges`. */
  readonly challenges?: ChallengeValues;
  /** As `AnswererOptions.logRing`. */
  readonly logRing?: LineRing;
}

export interface DnsDoor {
  /** Where it really listens, in the order asked. */
  readonly endpoints: readonly Endpoint[];
  readonly metrics: MetricSource;
  /** As `Answerer`. */
  readonly take: (served: Served) => void;
  readonly challenge: (values: ChallengeValues) => void;
  /** Frees the addresses; open connections are closed. */
  stop(): Promise<void>;
}

/**
 * Answers once all addresses are listened on.
 * @throws an Error of one line if one of them cannot be; then none is
 */
export async function startDnsDoor(options: DnsDoorOptions): Promise<DnsDoor> {
  const { log, served } = options;
  const cells = options.cells ?? new Float64Array(counterCells());
  const cookieSecrets = options.cookieSecrets ?? secretsByDay(randomBytes(16));
  const answerer = createAnswerer({ ...options, cells, cookieSecrets });
  const connections = createConnections(served.dns?.tcp);
  const listeners = await openAll(options, { ...answerer, connections });
  const endpoints = listeners.flatMap(([first]) => (first === undefined ? [] : [first.endpoint]));
  for (const endpoint of endpoints) log.info({ endpoint: formatEndpoint(endpoint) }, "answering DNS");
  return {
    endpoints,
    metrics: () => dnsMetrics([cells]),
    take(next) {
      answerer.take(next);
      connections.take(next.dns?.tcp);
    },
    challenge: answerer.challenge,
    stop: () => stopAll(listeners.flat()),
  };
}

interface Inside {
  readonly responder: Responder;
  readonly counters: DnsCounters;
  readonly connections: Connections;
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

function openTcp(endpoint: Endpoint, { log }: DnsDoorOptions, inside: Inside): Promise<Listener> {
  const { responder, counters, connections } = inside;
  const { respond } = responder;
  return listenTcp(endpoint, { respond, dropped: (reason) => counters.dropped(reason), connections, log });
}

async function stopAll(listeners: readonly Listener[]): Promise<void> {
  await Promise.all(listeners.map((listener) => listener.stop()));
}
