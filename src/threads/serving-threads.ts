/**
 * The main thread's side of the threads that answer.
 *
 * ```
 * inventory, world, geo ─► orders ─► thread 1 … n
 * counters ◄── shared memory ◄───────┘
 * ```
 */
import { type ResourceLimits, Worker } from "node:worker_threads";
import { superviseThread, type SupervisedThread, type ThreadDeath } from "../base/supervise.ts";
import { threadEntry } from "../base/thread-entry.ts";
import type { DecisionTotals } from "../engine/decision-counts.ts";
import { type DecisionWatch, UNWATCHED } from "../engine/decision-samples.ts";
import type { Geo } from "../geo/geo.ts";
import { type GeoSnapshot, type LookupCounts, newLookupCounts } from "../geo/locator.ts";
import type { Endpoint, Inventory } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource } from "../model/metrics.ts";
import type { World } from "../model/world.ts";
import { packInventory } from "./packed-inventory.ts";
import { unpackArrivals } from "../pricing/arrivals.ts";
import type { Arrivals, PackedArrivals } from "../pricing/ledger.ts";
import type { ThreadData, ThreadNews, ThreadOrder } from "./serving-thread.ts";

export interface CrewOptions<Task> {
  /** For names of threads, of metrics and in the log: `dns`, `http`. */
  readonly name: string;
  /** What each thread runs: the name of a file of this hall, without its ending. */
  readonly entry: string;
  /** Of a thread's heap, as `new Worker` takes them; left out: Node's own. */
  readonly resourceLimits?: ResourceLimits;
  /** How many numbers a thread's door counts in. */
  readonly cells: number;
  readonly inventory: Inventory;
  readonly world: World;
  readonly geo: Pick<Geo, "snapshot" | "onChange" | "addCounts">;
  readonly decisions: Pick<DecisionTotals, "newCells">;
  /** Left out: nobody watches. */
  readonly decisionWatch?: DecisionWatch;
  readonly log: Log;
  /** The task as it is once the thread answers: with the ports that the system chose. */
  readonly settled?: (task: Task, endpoints: readonly Endpoint[]) => Task;
  /** What threads are told that is of this kind of door alone, until `tell` says otherwise. */
  readonly own?: unknown;
  /** What a thread says that is of this kind of door alone. */
  readonly onOwnNews?: (news: unknown) => void;
  /** A thread with this task has died, and another will take its place. */
  readonly onTaskDeath?: (task: Task) => void;
  /** Told of every thread that is started. */
  readonly onThread?: ((worker: Worker) => void) | undefined;
}

/** The threads, and what they are told and count. */
export interface Crew<Task> {
  /** Resolves when the thread answers, with where; rejects if it cannot. */
  start(task: Task, wake?: () => void): Promise<readonly Endpoint[]>;
  /** Both at once, with the geo snapshot of this moment if that has changed. */
  readonly take: (inventory: Inventory, world: World) => void;
  /** What is of this kind of door alone; threads that start later know it too. */
  readonly tell: (own: unknown) => void;
  /** Where the threads' decisions were made for, as far as they have told since the last call, in portions. */
  readonly takeArrivals: () => Iterable<Arrivals>;
  /** Also of threads that are no more. */
  readonly allCells: readonly Float64Array[];
  /** How many threads there are, and how many died. */
  readonly metrics: MetricSource;
  /**
   * They end when they have answered what has come in; others may be started after.
   * @param graceMs as of the order to stop
   */
  stop(graceMs?: number): Promise<void>;
  /** To be called at the very end. */
  readonly close: () => void;
}

interface Member {
  readonly thread: SupervisedThread;
  readonly wake: () => void;
  readonly counted: Counted;
}

/** What a thread is there for, whichever thread it is now. */
interface Assignment<Task> {
  task: Task;
  /** Once one has answered. */
  isReady: boolean;
  readonly ready: (endpoints: readonly Endpoint[]) => void;
  /** The first one could not begin. */
  readonly failed: (error: Error) => void;
}

/** What a thread counts, in shared memory that outlives it. */
interface Counted {
  readonly cells: Float64Array;
  readonly lookups: LookupCounts;
  decisions: Float64Array;
}

export function createCrew<Task>(options: CrewOptions<Task>): Crew<Task> {
  const { name, geo, decisions, decisionWatch = UNWATCHED, log, settled = (task: Task) => task } = options;
  const label = name.toUpperCase();
  const members = new Set<Member>();
  const allCells: Float64Array[] = [];
  let { inventory, world } = options;
  let packedInventory = packInventory(inventory);
  let arrivals: PackedArrivals[] = [];
  let isGeoNew = false;
  let deaths = 0;
  let { own } = options;

  const send = ({ thread, wake }: Member, order: ThreadOrder): void => {
    thread.post(order);
    wake();
  };

  const takeGeo = (): { geo?: GeoSnapshot } => {
    const change = isGeoNew ? { geo: geo.snapshot() } : {};
    isGeoNew = false;
    return change;
  };

  /** The snapshot goes out with the next `take`, or by itself if none comes in this turn. */
  const stopWatching = geo.onChange(() => {
    isGeoNew = true;
    queueMicrotask(() => {
      if (!isGeoNew) return;
      const change = takeGeo();
      for (const member of members) send(member, { kind: "serve", change });
    });
  });

  const dataFor = (task: Task, counted: Counted, isFirst: boolean): ThreadData<Task> => ({
    task,
    own,
    serving: {
      configured: { packedInventory, decisionCells: counted.decisions },
      world,
      geo: geo.snapshot(),
    },
    lookups: counted.lookups,
    watched: decisionWatch.watched,
    cells: counted.cells,
    isFirst,
  });

  const newCounted = (): Counted => {
    const cells = new Float64Array(new SharedArrayBuffer(options.cells * Float64Array.BYTES_PER_ELEMENT));
    const lookups = newLookupCounts();
    allCells.push(cells);
    geo.addCounts(lookups);
    return { cells, lookups, decisions: decisions.newCells(inventory) };
  };

  const newWorker = ({ task, isReady }: Assignment<Task>, counted: Counted): Worker => {
    const { entry, resourceLimits } = options;
    const worker = new Worker(threadEntry(import.meta.url, entry), {
      workerData: dataFor(task, counted, !isReady),
      name,
      ...(resourceLimits === undefined ? {} : { resourceLimits }),
    });
    options.onThread?.(worker);
    return worker;
  };

  const hear = (news: ThreadNews, assignment: Assignment<Task>): void => {
    switch (news.kind) {
      case "ready":
        assignment.isReady = true;
        assignment.task = settled(assignment.task, news.endpoints);
        return assignment.ready(news.endpoints);
      case "failed":
        if (assignment.isReady)
          return log.error({ reason: news.message }, `a ${label} thread cannot begin again`);
        return assignment.failed(Object.assign(new Error(news.message), { code: news.code }));
      case "arrivals":
        if (news.generation === inventory.generation) arrivals.push(news.packed);
        return;
      case "decision":
        // What it decides before is made up.
        if (assignment.isReady) decisionWatch.tell(news.sample);
        return;
      case "log":
        return log[news.level](news.fields, news.message);
      case "own":
        return options.onOwnNews?.(news.news);
    }
  };

  const replaced = (death: ThreadDeath, assignment: Assignment<Task>): void => {
    if (!assignment.isReady)
      return assignment.failed(new Error(`a ${label} thread cannot begin: ${death.reason}`));
    deaths++;
    options.onTaskDeath?.(assignment.task);
    log.error({ ...death }, `a ${label} thread has died and is replaced`);
  };

  return {
    start(task, wake = () => {}) {
      return new Promise((resolve, reject) => {
        const counted = newCounted();
        const failed = (error: Error): void => {
          members.delete(member);
          void thread.stop({ kind: "stop", graceMs: 0 }, UNWINDING_MS);
          reject(error);
        };
        const assignment: Assignment<Task> = { task, isReady: false, ready: resolve, failed };
        const thread = superviseThread({
          start: () => newWorker(assignment, counted),
          onMessage: (message) => hear(message as ThreadNews, assignment),
          onDeath: (death) => replaced(death, assignment),
        });
        const member: Member = { thread, wake, counted };
        members.add(member);
      });
    },
    take(nextInventory, nextWorld) {
      const isNew = nextInventory !== inventory;
      if (isNew) {
        arrivals = [];
        packedInventory = packInventory(nextInventory);
      }
      inventory = nextInventory;
      world = nextWorld;
      const change = { world, ...takeGeo() };
      for (const member of members) {
        if (isNew) member.counted.decisions = decisions.newCells(inventory);
        const configured = { packedInventory, decisionCells: member.counted.decisions };
        send(member, { kind: "serve", change: isNew ? { ...change, configured } : change });
      }
    },
    tell(next) {
      own = next;
      for (const member of members) send(member, { kind: "own", own });
    },
    *takeArrivals() {
      const taken = arrivals;
      arrivals = [];
      for (const packed of taken) yield* unpackArrivals(packed);
    },
    allCells,
    metrics: () => [
      {
        kind: "gauge",
        name: `${name}_threads`,
        help: `Threads that answer ${label}`,
        samples: [{ labels: {}, value: members.size }],
      },
      {
        kind: "counter",
        name: `${name}_thread_deaths_total`,
        help: "Threads that ended unasked and were replaced",
        samples: [{ labels: {}, value: deaths }],
      },
    ],
    close: stopWatching,
    async stop(graceMs = STOP_GRACE_MS) {
      const order: ThreadOrder = { kind: "stop", graceMs };
      const stopping = [...members];
      members.clear();
      await Promise.all(
        stopping.map(({ thread, wake }) => {
          const stopped = thread.stop(order, graceMs + UNWINDING_MS);
          wake();
          return stopped;
        }),
      );
    },
  };
}

/** For who has connected and not asked yet: all ends within a second. */
const STOP_GRACE_MS = 500;
/** For what a thread does after that. */
const UNWINDING_MS = 500;
