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
import type { Worker } from "node:worker_threads";
import { formatEndpoint } from "../base/endpoint.ts";
import { wake } from "../base/eventfd.ts";
import { type HandedSockets, type InheritedSockets, NOTHING_INHERITED } from "../base/inherited-sockets.ts";
import { type Libc, loadLibc, type LibcResult } from "../base/libc.ts";
import { type CountedIn, countCells, httpMetrics, newCountedIn } from "../http/counts.ts";
import { type HttpDoor, type HttpDoorOptions, startHttpDoor } from "../http/door.ts";
import { DEFAULT_LIMITS } from "../http/limits.ts";
import type { CertificateState } from "../http/certificates.ts";
import { serveCertificates } from "../http/served-certificates.ts";
import { MARKED_DESCRIPTORS } from "../http-loop/connections.ts";
import { openEncryptedSockets, openSockets } from "../http-loop/open-sockets.ts";
import { whyNoParser } from "../http-loop/parser.ts";
import type { Endpoint, Inventory } from "../model/inventory.ts";
import type { MetricSource } from "../model/metrics.ts";
import type { World } from "../model/world.ts";
import type { Arrivals } from "../pricing/ledger.ts";
import type { HttpTask, HttpThreadNews } from "./http-thread.ts";
import { createCrew, type Crew, type CrewOptions } from "./serving-threads.ts";
import { defaultThreads } from "./thread-count.ts";

export interface HttpThreadsOptions
  extends Pick<
      CrewOptions<HttpTask>,
      "inventory" | "world" | "follow" | "geo" | "decisions" | "decisionWatch" | "log"
    >,
    Omit<HttpDoorOptions, "services" | "edges" | "trustedProxies" | "https" | "counted"> {
  /** How many threads; by default one per core but one, 1 to 8. */
  readonly threads?: number;
  /** The C library, or why it cannot be called. */
  readonly libc?: LibcResult;
  /** Of the process before this one; left out: none. */
  readonly inherited?: InheritedSockets;
  /** Told of every thread that is started. */
  readonly onThread?: (worker: Worker) => void;
}

export interface HttpThreads {
  /** Where they really listen, in the order asked. */
  readonly endpoints: readonly Endpoint[];
  readonly httpsEndpoints: readonly Endpoint[];
  /** For the process that replaces this one; empty where the C library cannot be called. */
  readonly handed: readonly HandedSockets[];
  /** Of those that are served by HTTPS. */
  readonly certificates: () => readonly CertificateState[];
  readonly metrics: MetricSource;
  readonly take: (inventory: Inventory, world: World) => void;
  /** Where the threads' decisions were made for, as far as they have told since the last call, in portions. */
  readonly takeArrivals: () => Iterable<Arrivals>;
  /** What has come in is answered first. */
  stop(): Promise<void>;
}

/** @throws an Error of one line if an endpoint cannot be listened on; then nothing is left running */
export async function startHttpThreads(options: HttpThreadsOptions): Promise<HttpThreads> {
  const { inventory, endpoints, log, libc = loadLibc(), inherited = NOTHING_INHERITED } = options;
  const { services, edges, trustedProxies, detailsFor, proxyProtocol, listen } = inventory;
  const counted = newCountedIn();
  const served = serveCertificates(listen.https, log);
  const reason = libc.kind === "unavailable" ? libc.reason : whyNoParser();
  const areThreads = libc.kind === "loaded" && reason === undefined && endpoints.length > 0;
  if (endpoints.length > 0 && !areThreads)
    log.warn({ reason }, "answering HTTP in the main thread alone, with less throughput");
  const encrypted = openEncryptedSockets(libc, listen.https?.addresses ?? [], inherited);
  const doorOptions: HttpDoorOptions = {
    ...options,
    ...served.door(encrypted.fds),
    services,
    edges,
    trustedProxies,
    ...(detailsFor && { detailsFor }),
    ...(proxyProtocol && { proxyProtocol }),
    counted,
  };
  const door = await startHttpDoor(areThreads ? { ...doorOptions, endpoints: [] } : doorOptions);
  for (const endpoint of door.httpsEndpoints)
    log.info({ endpoint: formatEndpoint(endpoint) }, "answering HTTPS");
  const stopServing = served.start(door.renewCertificates);
  try {
    const doors = areThreads ? await withThreads(door, counted, libc.libc, options) : alone(door, counted);
    const takeNew = whenNew(inventory, (next) => {
      door.take(next);
      served.take(next.listen.https);
    });
    return {
      ...doors,
      handed: [...doors.handed, ...encrypted.handed],
      httpsEndpoints: door.httpsEndpoints,
      certificates: served.states,
      metrics: () => [...doors.metrics(), ...served.metrics()],
      take(next, world) {
        doors.take(next, world);
        takeNew(next);
      },
      async stop() {
        stopServing();
        await doors.stop();
      },
    };
  } catch (error) {
    stopServing();
    await door.stop();
    throw error;
  }
}

type Doors = Omit<HttpThreads, "httpsEndpoints" | "certificates">;

function alone(door: HttpDoor, counted: CountedIn): Doors {
  return {
    endpoints: door.endpoints,
    handed: [],
    metrics: () => httpMetrics([counted]),
    take: () => {},
    takeArrivals: () => [],
    stop: door.stop,
  };
}

async function withThreads(
  door: HttpDoor,
  counted: CountedIn,
  libc: Libc,
  options: HttpThreadsOptions,
): Promise<Doors> {
  const { log, inherited = NOTHING_INHERITED, threads = defaultThreads() } = options;
  const sockets = openSockets(libc, options.endpoints, threads, inherited);
  const names: string[][] = [];
  const crew: Crew<HttpTask> = createCrew<HttpTask>({
    ...options,
    name: "http",
    entry: "http-thread",
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    cells: countCells(),
    onOwnNews(told) {
      const news = told as HttpThreadNews;
      if (news.kind === "handed-over") door.adopt(news.connection);
      else (names[news.index] as string[])[news.place] = news.name;
    },
    onTaskDeath: ({ marks }) => closeMarked(libc, marks),
  });
  const closeAll = async (): Promise<void> => {
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
    handed: sockets.handed,
    metrics: () => [
      ...httpMetrics([
        counted,
        ...crew.allCells.map((cells, i): CountedIn => ({ cells, names: names[i] ?? [] })),
      ]),
      ...crew.metrics(),
    ],
    take: crew.take,
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

/** The connections of a thread that has died. */
function closeMarked(libc: Libc, marks: Uint8Array): void {
  for (let fd = marks.indexOf(1); fd >= 0; fd = marks.indexOf(1, fd + 1)) {
    libc.close(fd);
    marks[fd] = 0;
  }
}

/** What is made for a request lives as long as the request. */
const YOUNG_MB = 12;
