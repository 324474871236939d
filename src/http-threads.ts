/**
 * The HTTP door: threads that answer what is plain, and node:http in the main thread for the rest.
 *
 * ```
 * viewer ─► thread 1 … n ── redirects
 *               └─ any other connection, with the octets read ─► node:http (main thread)
 * ```
 *
 * Where the C library cannot be called, node:http does it all.
 */
import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import { joinArrivals } from "./arrivals.ts";
import { formatEndpoint } from "./base/endpoint.ts";
import { openWake, wake } from "./base/eventfd.ts";
import { type Libc, loadLibc, type LibcResult } from "./base/libc.ts";
import { type CountedIn, countCells, httpMetrics, newCountedIn } from "./http/counts.ts";
import { hasIpv4Twin, type HttpDoor, type HttpDoorOptions, startHttpDoor } from "./http/door.ts";
import { DEFAULT_LIMITS } from "./http/limits.ts";
import { MARKED_DESCRIPTORS } from "./http-loop/connections.ts";
import { whyNoParser } from "./http-loop/parser.ts";
import { type ListeningGroup, type ListeningSocket, listenTogether } from "./http-loop/sockets.ts";
import type { HttpTask, HttpThreadNews } from "./http-thread.ts";
import type { Endpoint, Inventory } from "./model/inventory.ts";
import type { MetricSource } from "./model/metrics.ts";
import type { World } from "./model/world.ts";
import type { Arrivals } from "./pricing/ledger.ts";
import { createCrew, type Crew, type CrewOptions } from "./serving-threads.ts";

export interface HttpThreadsOptions
  extends Pick<CrewOptions<HttpTask>, "inventory" | "world" | "geo" | "decisions" | "log">,
    Omit<HttpDoorOptions, "services" | "trustedProxies"> {
  /** How many threads; by default one per core but one, 1 to 8. */
  readonly threads?: number;
  /** The C library, or why it cannot be called. */
  readonly libc?: LibcResult;
  /** Told of every thread that is started. */
  readonly onThread?: (worker: Worker) => void;
}

export interface HttpThreads {
  /** Where they really listen, in the order asked. */
  readonly endpoints: readonly Endpoint[];
  readonly metrics: MetricSource;
  readonly take: (inventory: Inventory, world: World) => void;
  /** Where the threads' decisions were made for, as far as they have told since the last call. */
  readonly takeArrivals: () => Arrivals;
  /** What has come in is answered first. */
  stop(): Promise<void>;
}

/** @throws an Error of one line if an endpoint cannot be listened on; then nothing is left running */
export async function startHttpThreads(options: HttpThreadsOptions): Promise<HttpThreads> {
  const { inventory, endpoints, log, libc = loadLibc() } = options;
  const { services, trustedProxies } = inventory;
  const counted = newCountedIn();
  const doorOptions: HttpDoorOptions = { ...options, services, trustedProxies, counted };
  const reason = libc.kind === "unavailable" ? libc.reason : whyNoParser();
  if (libc.kind === "unavailable" || reason !== undefined || endpoints.length === 0) {
    if (endpoints.length > 0)
      log.warn({ reason }, "answering HTTP in the main thread alone, with less throughput");
    return alone(await startHttpDoor(doorOptions), counted, inventory);
  }
  const door = await startHttpDoor({ ...doorOptions, endpoints: [] });
  try {
    return await withThreads(door, counted, libc.libc, options);
  } catch (error) {
    await door.stop();
    throw error;
  }
}

function alone(door: HttpDoor, counted: CountedIn, first: Inventory): HttpThreads {
  return {
    endpoints: door.endpoints,
    metrics: () => httpMetrics([counted]),
    take: whenNew(first, door.take),
    takeArrivals: () => joinArrivals([]),
    stop: door.stop,
  };
}

async function withThreads(
  door: HttpDoor,
  counted: CountedIn,
  libc: Libc,
  options: HttpThreadsOptions,
): Promise<HttpThreads> {
  const { log, threads = defaultThreads() } = options;
  const sockets = openSockets(libc, options.endpoints, threads);
  const takeInventory = whenNew(options.inventory, door.take);
  const names: string[][] = [];
  const crew: Crew<HttpTask> = createCrew<HttpTask>({
    ...options,
    name: "http",
    entry: "http-thread",
    cells: countCells(),
    onOwnNews(told) {
      const news = told as HttpThreadNews;
      if (news.kind === "handed-over") door.adopt(news.connection);
      else (names[news.index] as string[])[news.place] = news.name;
    },
    onTaskDeath: ({ marks }) => closeMarked(libc, marks),
  });
  const closeAll = async (): Promise<void> => {
    crew.close();
    await crew.stop();
    sockets.close();
  };
  try {
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    await Promise.all(
      sockets.threads.map(async (thread, index) => {
        const own: string[] = [];
        names.push(own);
        const marks = new Uint8Array(new SharedArrayBuffer(MARKED_DESCRIPTORS));
        await crew.start({ ...thread, index, limits, marks, names: own }, () => wake(libc, thread.wakeFd));
      }),
    );
  } catch (error) {
    await closeAll();
    throw error;
  }
  for (const endpoint of sockets.endpoints)
    log.info({ endpoint: formatEndpoint(endpoint) }, "answering HTTP");
  return {
    endpoints: sockets.endpoints,
    metrics: () => [
      ...httpMetrics([
        counted,
        ...crew.allCells.map((cells, i): CountedIn => ({ cells, names: names[i] ?? [] })),
      ]),
      ...crew.metrics(),
    ],
    take(inventory, world) {
      crew.take(inventory, world);
      takeInventory(inventory);
    },
    takeArrivals: crew.takeArrivals,
    async stop() {
      await closeAll();
      await door.stop();
    },
  };
}

/** A world comes each second, an inventory seldom. */
function whenNew(first: Inventory, take: (inventory: Inventory) => void): (inventory: Inventory) => void {
  let current = first;
  return (inventory) => {
    if (inventory !== current) take(inventory);
    current = inventory;
  };
}

interface ThreadSockets {
  readonly sockets: readonly ListeningSocket[];
  readonly wakeFd: number;
}

/** Binds each endpoint as often as there are threads. */
function openSockets(libc: Libc, endpoints: readonly Endpoint[], threadCount: number) {
  const closing: number[] = [];
  const close = (): void => closing.splice(0).forEach((fd) => libc.close(fd));
  try {
    const groups = endpoints.map((endpoint): ListeningGroup => {
      const group = listenTogether(libc, endpoint, threadCount, hasIpv4Twin(endpoint, endpoints));
      closing.push(...group.sockets.map(({ fd }) => fd));
      return group;
    });
    const threads = Array.from({ length: threadCount }, (_, i): ThreadSockets => {
      const wakeFd = openWake(libc);
      closing.push(wakeFd);
      return { sockets: groups.map(({ sockets }) => sockets[i] as ListeningSocket), wakeFd };
    });
    return { endpoints: groups.map(({ endpoint }) => endpoint), threads, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** The connections of a thread that has died. */
function closeMarked(libc: Libc, marks: Uint8Array): void {
  for (let fd = marks.indexOf(1); fd >= 0; fd = marks.indexOf(1, fd + 1)) {
    libc.close(fd);
    marks[fd] = 0;
  }
}

const MOST_THREADS = 8;

/** One core is left for the rest. */
function defaultThreads(): number {
  return Math.min(MOST_THREADS, Math.max(1, availableParallelism() - 1));
}
