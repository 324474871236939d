/**
 * The DNS door as threads, so that nothing the main thread does delays an answer.
 *
 * ```
 * inventory, world, geo ─► orders ─┬─► UDP thread 1 … n  (batched sockets that share the address)
 *                                  └─► TCP thread        (both in one, where the C library cannot be called)
 * counters ◄── shared memory ◄─────┘
 * ```
 */
import { randomBytes } from "node:crypto";
import type { Worker } from "node:worker_threads";
import { formatEndpoint } from "../base/endpoint.ts";
import { wake } from "../base/eventfd.ts";
import type { HandedSockets, InheritedSockets } from "../base/inherited-sockets.ts";
import { type Libc, loadLibc, type LibcResult } from "../base/libc.ts";
import { type LineRing, newLineRing } from "../base/line-ring.ts";
import type { SocketsOfThreads } from "../base/thread-sockets.ts";
import { newRateSeeds } from "../dns/answerer.ts";
import { openBatchSockets } from "../dns/batch-door.ts";
import { counterCells, dnsMetrics } from "../dns/counters.ts";
import { isPortToChoose, PORT_ATTEMPTS } from "../dns/listen.ts";
import { createQueryLogFile } from "../dns/query-log-file.ts";
import { newRateTable } from "../dns/rate-limit.ts";
import type { SharedSocket } from "../dns/socket.ts";
import { type OpenStreamSockets, openStreamSockets } from "../dns/stream-door.ts";
import type { DnsCommon, DnsTask } from "./dns-thread.ts";
import type { ChallengeValues } from "../model/acme.ts";
import type { Endpoint, Inventory } from "../model/inventory.ts";
import type { MetricSource } from "../model/metrics.ts";
import type { World } from "../model/world.ts";
import type { Arrivals } from "../pricing/ledger.ts";
import { createCrew, type Crew, type CrewOptions } from "./serving-threads.ts";
import { defaultThreads } from "./thread-count.ts";

export interface DnsThreadsOptions
  extends Pick<
    CrewOptions<DnsTask>,
    "inventory" | "world" | "follow" | "geo" | "decisions" | "decisionWatch" | "log"
  > {
  readonly endpoints: readonly Endpoint[];
  /**
   * What server cookies are made of, as `secretsByDay`, where the configuration gives no secrets: 16 octets; left
   * out: random ones.
   */
  readonly cookieSecret?: Uint8Array;
  /** Values for certificate authorities at the start; left out: none. */
  readonly challenges?: ChallengeValues;
  /** How many threads answer UDP; by default one per core but one, 1 to 8. */
  readonly udpThreads?: number;
  /** The C library, or why it cannot be called: then UDP is answered by plain sockets in one thread. */
  readonly libc?: LibcResult;
  /** Of the process before this one; left out: none. */
  readonly inherited?: InheritedSockets;
  /** Told of every thread that is started. */
  readonly onThread?: (worker: Worker) => void;
}

export interface DnsThreads {
  /** Where they really listen, in the order asked. */
  readonly endpoints: readonly Endpoint[];
  /** For the process that replaces this one; empty where the C library cannot be called. */
  readonly handed: readonly HandedSockets[];
  readonly metrics: MetricSource;
  /** Both at once, with the geo snapshot of this moment if that has changed. */
  readonly take: (inventory: Inventory, world: World) => void;
  /** Where the threads' decisions were made for, as far as they have told since the last call, in portions. */
  readonly takeArrivals: () => Iterable<Arrivals>;
  /** Values for certificate authorities, instead of those so far. */
  readonly challenge: (values: ChallengeValues) => void;
  /** Opens the query log's file anew: somebody may have moved it. */
  readonly reopenLog: () => void;
  /**
   * What has come in is answered first.
   * @param graceMs as of `Crew.stop`
   */
  stop(graceMs?: number): Promise<void>;
}

/**
 * Resolves when all threads answer.
 * @throws an Error of one line if an endpoint cannot be listened on; then nothing is left running
 */
export async function startDnsThreads(options: DnsThreadsOptions): Promise<DnsThreads> {
  const { log, libc = loadLibc() } = options;
  const crew = createCrew<DnsTask>({
    ...options,
    name: "dns",
    entry: "dns-thread",
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    own: options.challenges ?? new Map(),
    cells: counterCells(),
    settled: (task, endpoints) => (task.kind === "sockets" ? { ...task, endpoints } : task),
  });
  const rings: LineRing[] = [];
  const queryLog = createQueryLogFile(rings, log);
  const opening: Opening = {
    ...options,
    newRing() {
      const ring = newLineRing(RING_OCTETS);
      rings.push(ring);
      return ring;
    },
  };
  const stop = async (graceMs?: number): Promise<void> => {
    await crew.stop(graceMs);
    await queryLog.stop();
  };
  try {
    const open =
      libc.kind === "loaded"
        ? await openBatches(crew, libc.libc, opening)
        : await openPlain(crew, libc.reason, opening);
    queryLog.take(options.inventory.dns.queryLog);
    for (const endpoint of open.endpoints) log.info({ endpoint: formatEndpoint(endpoint) }, "answering DNS");
    return {
      endpoints: open.endpoints,
      handed: open.handed,
      metrics: () => [...dnsMetrics(crew.allCells), ...crew.metrics(), ...queryLog.metrics()],
      take(inventory, world) {
        crew.take(inventory, world);
        queryLog.take(inventory.dns.queryLog);
      },
      reopenLog: () => queryLog.reopen(),
      takeArrivals: crew.takeArrivals,
      challenge: crew.tell,
      stop: (graceMs) => stop(graceMs).then(open.close),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Hardly anything is allocated for a query: what Node would give, 48 MB, is not made use of, but touched. */
const YOUNG_MB = 6;

type Opening = DnsThreadsOptions & { readonly newRing: () => LineRing };

/** A thousand lines or so, for a tenth of a second. */
const RING_OCTETS = 1 << 18;

interface Open {
  readonly endpoints: readonly Endpoint[];
  readonly handed: readonly HandedSockets[];
  /** To be called when the threads have ended. */
  readonly close: () => void;
}

/** First all sockets, UDP and TCP at the same ports, then the threads that answer. */
async function openBatches(crew: Crew<DnsTask>, libc: Libc, options: Opening): Promise<Open> {
  const { newRing } = options;
  const { batches, streams } = openSockets(libc, options);
  const close = (): void => {
    batches.close();
    streams.close();
  };
  const common = newCommon(options);
  try {
    await Promise.all([
      crew.start({ kind: "streams", sockets: streams.sockets, logRing: newRing(), ...common }, streams.wake),
      ...batches.threads.map((thread) =>
        crew.start({ kind: "batches", sockets: thread, logRing: newRing(), ...common }, () =>
          wake(libc, thread.wakeFd),
        ),
      ),
    ]);
    return { endpoints: batches.endpoints, handed: [...batches.handed, ...streams.handed], close };
  } catch (error) {
    await crew.stop();
    close();
    throw error;
  }
}

interface OpenSockets {
  readonly batches: SocketsOfThreads<SharedSocket>;
  readonly streams: OpenStreamSockets;
}

function openSockets(
  libc: Libc,
  { endpoints, inherited, udpThreads = defaultThreads() }: DnsThreadsOptions,
): OpenSockets {
  for (let attempt = 1; ; attempt++) {
    const batches = openBatchSockets(libc, endpoints, udpThreads, inherited);
    try {
      return { batches, streams: openStreamSockets(libc, batches.endpoints, inherited) };
    } catch (error) {
      batches.close();
      const mayFindAnother = endpoints.some((endpoint) => isPortToChoose(endpoint, error));
      if (!mayFindAnother || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function openPlain(crew: Crew<DnsTask>, reason: string, opening: Opening): Promise<Open> {
  const { endpoints, log, newRing } = opening;
  log.warn({ reason }, "answering DNS over UDP packet by packet, with less throughput");
  for (const endpoint of endpoints.filter(isEverywhere))
    log.warn(
      { endpoint: formatEndpoint(endpoint) },
      "replies over UDP leave from the machine's first address, whichever was asked: list its addresses in listen.dns instead",
    );
  const task: DnsTask = {
    kind: "sockets",
    endpoints,
    transports: ["udp", "tcp"],
    logRing: newRing(),
    ...newCommon(opening),
  };
  return { endpoints: await crew.start(task), handed: [], close: () => {} };
}

function isEverywhere({ host }: Endpoint): boolean {
  return host === "0.0.0.0" || host === "::";
}

function newCommon({ cookieSecret = randomBytes(16) }: DnsThreadsOptions): DnsCommon {
  return { cookieSecret, rateTable: newRateTable(newRateSeeds()) };
}
