/**
 * The DNS door as threads, so that nothing the main thread does delays an answer.
 *
 * ```
 * inventory, world, geo ─► orders ─┬─► UDP thread 1 … n  (batched sockets that share the address)
 *                                  └─► TCP thread        (and UDP, where there are no batches)
 * counters ◄── shared memory ◄─────┘
 * ```
 */
import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { serialize } from "node:v8";
import { Worker } from "node:worker_threads";
import { superviseThread, type SupervisedThread, type ThreadDeath } from "./base/supervise.ts";
import { joinArrivals, type PackedArrivals, unpackArrivals } from "./arrivals.ts";
import type { DecisionTotals } from "./decision-counts.ts";
import { type BatchSockets, openBatchSockets } from "./dns/batch-door.ts";
import { counterCells, dnsMetrics } from "./dns/counters.ts";
import { type Libc, loadLibc, type LibcResult } from "./dns/libc.ts";
import { formatEndpoint, isPortToChoose, PORT_ATTEMPTS } from "./dns/listen.ts";
import type { DnsNews, DnsOrder, DnsTask, DnsThreadData } from "./dns-thread.ts";
import type { Geo } from "./geo/geo.ts";
import { type GeoSnapshot, type LookupCounts, newLookupCounts } from "./geo/locator.ts";
import type { Endpoint, Inventory } from "./model/inventory.ts";
import type { Log } from "./model/log.ts";
import type { MetricSource } from "./model/metrics.ts";
import type { World } from "./model/world.ts";
import type { Arrivals } from "./pricing/ledger.ts";

export interface DnsThreadsOptions {
  readonly endpoints: readonly Endpoint[];
  readonly inventory: Inventory;
  readonly world: World;
  readonly geo: Pick<Geo, "snapshot" | "onChange" | "addCounts">;
  readonly decisions: Pick<DecisionTotals, "newCells">;
  readonly log: Log;
  /** How many threads answer UDP; by default one per core but one, 1 to 8. */
  readonly udpThreads?: number;
  /** The C library, or why it cannot be called: then UDP is answered by plain sockets in one thread. */
  readonly libc?: LibcResult;
  /** Told of every thread that is started. */
  readonly onThread?: (worker: Worker) => void;
}

export interface DnsThreads {
  /** Where they really listen, in the order asked. */
  readonly endpoints: readonly Endpoint[];
  readonly metrics: MetricSource;
  /** Both at once, with the geo snapshot of this moment if that has changed. */
  readonly take: (inventory: Inventory, world: World) => void;
  /** Where the threads' decisions were made for, as far as they have told since the last call. */
  readonly takeArrivals: () => Arrivals;
  /** What has come in is answered first. */
  stop(): Promise<void>;
}

/**
 * Resolves when all threads answer.
 * @throws an Error of one line if an endpoint cannot be listened on; then nothing is left running
 */
export async function startDnsThreads(options: DnsThreadsOptions): Promise<DnsThreads> {
  const { geo, log, libc = loadLibc() } = options;
  const crew = createCrew(options);
  const stopWatching = geo.onChange(crew.geoChanged);
  const stop = async (): Promise<void> => {
    stopWatching();
    await crew.stop();
  };
  try {
    const open =
      libc.kind === "loaded"
        ? await openBatches(crew, libc.libc, options)
        : await openPlain(crew, libc.reason, options);
    for (const endpoint of open.endpoints) log.info({ endpoint: formatEndpoint(endpoint) }, "answering DNS");
    return {
      endpoints: open.endpoints,
      metrics: crew.metrics,
      take: crew.take,
      takeArrivals: crew.takeArrivals,
      stop: () => stop().then(open.close),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Open {
  readonly endpoints: readonly Endpoint[];
  /** To be called when the threads have ended. */
  readonly close: () => void;
}

/** First the sockets, then TCP at the same ports, then the threads that answer. */
async function openBatches(crew: Crew, libc: Libc, options: DnsThreadsOptions): Promise<Open> {
  const { endpoints, udpThreads = defaultThreads() } = options;
  for (let attempt = 1; ; attempt++) {
    const sockets = openBatchSockets(libc, endpoints, udpThreads);
    try {
      await crew.start({ kind: "sockets", endpoints: sockets.endpoints, transports: ["tcp"] });
      await startBatchThreads(crew, sockets);
      return sockets;
    } catch (error) {
      await crew.stop();
      sockets.close();
      const mayFindAnother = endpoints.some((endpoint) => isPortToChoose(endpoint, error));
      if (!mayFindAnother || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function startBatchThreads(crew: Crew, sockets: BatchSockets): Promise<void> {
  const started = sockets.threads.map((thread) =>
    crew.start({ kind: "batches", sockets: thread }, () => sockets.wake(thread)),
  );
  await Promise.all(started);
}

async function openPlain(crew: Crew, reason: string, { endpoints, log }: DnsThreadsOptions): Promise<Open> {
  log.warn({ reason }, "answering DNS over UDP packet by packet, with less throughput");
  const task: DnsTask = { kind: "sockets", endpoints, transports: ["udp", "tcp"] };
  return { endpoints: await crew.start(task), close: () => {} };
}

const MOST_THREADS = 8;

/** One core is left for the rest. */
function defaultThreads(): number {
  return Math.min(MOST_THREADS, Math.max(1, availableParallelism() - 1));
}

/** The threads, and what they are told and count. */
interface Crew {
  /** Resolves when the thread answers, with where; rejects if it cannot. */
  start(task: DnsTask, wake?: () => void): Promise<readonly Endpoint[]>;
  readonly take: DnsThreads["take"];
  readonly takeArrivals: DnsThreads["takeArrivals"];
  /** The snapshot goes out with the next `take`, or by itself if none comes in this turn. */
  readonly geoChanged: () => void;
  readonly metrics: MetricSource;
  stop(): Promise<void>;
}

interface Member {
  readonly thread: SupervisedThread;
  readonly wake: () => void;
  readonly counted: Counted;
}

/** What a thread counts, in shared memory that outlives it. */
interface Counted {
  readonly cells: Float64Array;
  readonly lookups: LookupCounts;
  decisions: Float64Array;
}

function createCrew(options: DnsThreadsOptions): Crew {
  const { geo, decisions, log } = options;
  const cookieSecret = randomBytes(16);
  const members = new Set<Member>();
  /** Also of threads that are no more. */
  const allCells: Float64Array[] = [];
  let { inventory, world } = options;
  let packedInventory = packed(inventory);
  let arrivals: PackedArrivals[] = [];
  let isGeoNew = false;
  let deaths = 0;

  const post = ({ thread, wake }: Member, order: DnsOrder): void => {
    thread.post(order);
    wake();
  };

  const takeGeo = (): { geo?: GeoSnapshot } => {
    const change = isGeoNew ? { geo: geo.snapshot() } : {};
    isGeoNew = false;
    return change;
  };

  const dataFor = (task: DnsTask, counted: Counted): DnsThreadData => ({
    task,
    serving: {
      configured: { packedInventory, decisionCells: counted.decisions },
      world,
      geo: geo.snapshot(),
    },
    lookups: counted.lookups,
    cells: counted.cells,
    cookieSecret,
  });

  const newCounted = (): Counted => {
    const cells = new Float64Array(new SharedArrayBuffer(counterCells() * Float64Array.BYTES_PER_ELEMENT));
    const lookups = newLookupCounts();
    allCells.push(cells);
    geo.addCounts(lookups);
    return { cells, lookups, decisions: decisions.newCells(inventory) };
  };

  return {
    start(task, wake = () => {}) {
      return new Promise((resolve, reject) => {
        const counted = newCounted();
        const fail = (error: Error): void => {
          members.delete(member);
          void member.thread.stop(STOP);
          reject(error);
        };
        /** With the ports that the system chose first. */
        let settled = task;
        let isReady = false;
        const onMessage = (message: unknown): void => {
          const news = message as DnsNews;
          switch (news.kind) {
            case "ready":
              isReady = true;
              if (task.kind === "sockets") settled = { ...task, endpoints: news.endpoints };
              return resolve(news.endpoints);
            case "failed":
              if (isReady) return log.error({ reason: news.message }, "a DNS thread cannot begin again");
              return fail(Object.assign(new Error(news.message), { code: news.code }));
            case "arrivals":
              if (news.generation === inventory.generation) arrivals.push(news.packed);
              return;
            case "log":
              return log[news.level](news.fields, news.message);
          }
        };
        const onDeath = (death: ThreadDeath): void => {
          if (!isReady) return fail(new Error(`a DNS thread cannot begin: ${death.reason}`));
          deaths++;
          log.error({ task: task.kind, ...death }, "a DNS thread has died and is replaced");
        };
        const thread = superviseThread({
          start: () => {
            const worker = new Worker(entry(), {
              workerData: dataFor(settled, counted),
              name: `dns-${task.kind}`,
            });
            options.onThread?.(worker);
            return worker;
          },
          onMessage,
          onDeath,
        });
        const member: Member = { thread, wake, counted };
        members.add(member);
      });
    },
    take(nextInventory, nextWorld) {
      const isNew = nextInventory !== inventory;
      if (isNew) {
        arrivals = [];
        packedInventory = packed(nextInventory);
      }
      inventory = nextInventory;
      world = nextWorld;
      const change = { world, ...takeGeo() };
      for (const member of members) {
        if (isNew) member.counted.decisions = decisions.newCells(inventory);
        const configured = { packedInventory, decisionCells: member.counted.decisions };
        post(member, { kind: "serve", change: isNew ? { ...change, configured } : change });
      }
    },
    takeArrivals() {
      const taken = arrivals.map(unpackArrivals);
      arrivals = [];
      return joinArrivals(taken);
    },
    geoChanged() {
      isGeoNew = true;
      queueMicrotask(() => {
        if (!isGeoNew) return;
        const change = takeGeo();
        for (const member of members) post(member, { kind: "serve", change });
      });
    },
    metrics: () => [
      ...dnsMetrics(allCells),
      {
        kind: "gauge",
        name: "dns_threads",
        help: "Threads that answer DNS",
        samples: [{ labels: {}, value: members.size }],
      },
      {
        kind: "counter",
        name: "dns_thread_deaths_total",
        help: "Threads that ended unasked and were replaced",
        samples: [{ labels: {}, value: deaths }],
      },
    ],
    async stop() {
      const stopping = [...members];
      members.clear();
      await Promise.all(
        stopping.map(({ thread, wake }) => {
          const stopped = thread.stop(STOP);
          wake();
          return stopped;
        }),
      );
    },
  };
}

/** In memory that is not copied for each thread. */
function packed(inventory: Inventory): Uint8Array {
  const octets = serialize(inventory);
  const shared = new Uint8Array(new SharedArrayBuffer(octets.length));
  shared.set(octets);
  return shared;
}

const STOP: DnsOrder = { kind: "stop" };

/** A thread needs compiled JavaScript: where the sources are run by a tool, it is that of the last build. */
function entry(): URL {
  const here = import.meta.url;
  return here.endsWith(".ts") ? new URL("../dist/dns-thread.js", here) : new URL("./dns-thread.js", here);
}
