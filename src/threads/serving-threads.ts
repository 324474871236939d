/**
 * The main thread's side of the threads that answer.
 *
 * ```
 * inventory, world, geo ─► orders ─► thread 1 … n
 * counters ◄── shared memory ◄───────┘
 * ```
 */
import type { ResourceLimits, Worker } from "node:worker_threads";
import { startThread, threadEntry } from "../base/thread-entry.ts";
import type { DecisionTotals } from "../engine/decision-counts.ts";
import { type DecisionWatch, UNWATCHED } from "../engine/decision-samples.ts";
import type { Geo } from "../geo/geo.ts";
import { type LookupCounts, newLookupCounts } from "../geo/locator.ts";
import type { Endpoint, Inventory } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource, SimpleFamily } from "../model/metrics.ts";
import type { World } from "../model/world.ts";
import { packInventory } from "./packed-inventory.ts";
import type { Arrivals } from "../pricing/ledger.ts";
import { createCrewArrivals } from "./crew-arrivals.ts";
import { type Member, startMember } from "./crew-member.ts";
import { createGeoNews } from "./geo-news.ts";
import type { ThreadData, ThreadOrder } from "./serving-thread.ts";

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
  /** Called at once with what takes worlds of this inventory, until `Crew.take` is called; left out: none come. */
  readonly follow?: (take: (world: World) => void) => void;
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
   * They end when they have answered what has come in; none is to be started after.
   * @param graceMs as of the order to stop
   */
  stop(graceMs?: number): Promise<void>;
}

/** What a thread counts, in shared memory that outlives it. */
interface Counted {
  readonly cells: Float64Array;
  readonly lookups: LookupCounts;
  decisions: Float64Array;
}

export function createCrew<Task>(options: CrewOptions<Task>): Crew<Task> {
  const { name, geo, decisions, decisionWatch = UNWATCHED, log } = options;
  const label = name.toUpperCase();
  const members = new Map<Member, Counted>();
  const allCells: Float64Array[] = [];
  let { inventory, world } = options;
  let packedInventory = packInventory(inventory);
  let deaths = 0;
  let { own } = options;

  const tellAll = (order: ThreadOrder): void => {
    for (const member of members.keys()) member.tell(order);
  };

  /** The snapshot goes out with the next `take`, or by itself if none comes in this turn. */
  const geoNews = createGeoNews(geo, () => tellAll({ kind: "serve", change: geoNews.take() }));
  const arrivals = createCrewArrivals(inventory.generation);

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

  const newWorker = (task: Task, counted: Counted, isFirst: boolean): Worker => {
    const { entry, resourceLimits } = options;
    const worker = startThread(threadEntry(import.meta.url, entry), {
      workerData: dataFor(task, counted, isFirst),
      name,
      ...(resourceLimits === undefined ? {} : { resourceLimits }),
    });
    options.onThread?.(worker);
    return worker;
  };

  const crew: Crew<Task> = {
    async start(task, wake = () => {}) {
      const counted = newCounted();
      const member = startMember(task, {
        label,
        log,
        wake,
        newWorker: (current, isFirst) => newWorker(current, counted, isFirst),
        settled: options.settled ?? ((settling) => settling),
        onArrivals: arrivals.add,
        onDecision: (sample) => decisionWatch.tell(sample),
        onOwnNews: (news) => options.onOwnNews?.(news),
        onDeath(current) {
          deaths++;
          options.onTaskDeath?.(current);
        },
      });
      members.set(member, counted);
      try {
        return await member.ready;
      } catch (error) {
        members.delete(member);
        throw error;
      }
    },
    take(nextInventory, nextWorld) {
      const isNew = nextInventory !== inventory;
      if (isNew) {
        arrivals.begin(nextInventory.generation);
        packedInventory = packInventory(nextInventory);
      }
      inventory = nextInventory;
      world = nextWorld;
      const change = { world, ...geoNews.take() };
      for (const [member, counted] of members) {
        if (isNew) counted.decisions = decisions.newCells(inventory);
        const configured = { packedInventory, decisionCells: counted.decisions };
        member.tell({ kind: "serve", change: isNew ? { ...change, configured } : change });
      }
    },
    tell(next) {
      own = next;
      tellAll({ kind: "own", own });
    },
    takeArrivals: arrivals.take,
    allCells,
    metrics: () => crewMetrics(name, members.size, deaths),
    async stop(graceMs = STOP_GRACE_MS) {
      geoNews.stop();
      const stopping = [...members.keys()];
      members.clear();
      await Promise.all(stopping.map((member) => member.stop(graceMs)));
    },
  };
  options.follow?.((next) => crew.take(inventory, next));
  return crew;
}

function crewMetrics(name: string, threads: number, deaths: number): readonly SimpleFamily[] {
  return [
    {
      kind: "gauge",
      name: `${name}_threads`,
      help: `Threads that answer ${name.toUpperCase()}`,
      samples: [{ labels: {}, value: threads }],
    },
    {
      kind: "counter",
      name: `${name}_thread_deaths_total`,
      help: "Threads that ended unasked and were replaced",
      samples: [{ labels: {}, value: deaths }],
    },
  ];
}

/** For who has connected and not asked yet: all ends within a second. */
const STOP_GRACE_MS = 500;
