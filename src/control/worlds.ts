import type { Board } from "../condition/board.ts";
import type { Kept } from "../condition/fail-static.ts";
import { areAsServing } from "../condition/serving.ts";
import type { Corrections } from "../model/corrections.ts";
import type { Edge } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource, SimpleFamily } from "../model/metrics.ts";
import type { Facts, StreamHeat, World } from "../model/world.ts";
import type { Learned } from "../pricing/learned.ts";
import type { Arrivals } from "../pricing/ledger.ts";
import { createPricing } from "../pricing/pricing.ts";
import { solveInThread } from "../pricing/solver-thread.ts";
import { createPacedPricing } from "./paced-pricing.ts";
import { countUnseen, type Unseen, unseenOf } from "./unseen.ts";

/** Makes a world of what the board knows and what the doors have decided, on every change and every second. */
export interface Worlds {
  /** The board must have taken it already. */
  take(inventory: Inventory): World;
  /** Makes no world until `release`: the board is about to know edges that the doors do not. */
  hold(): void;
  /** The world of what was taken meanwhile. */
  release(): World;
  /** After the first round of probes. */
  begin(): World;
  /** The last one made. */
  current(): World;
  /** Something has changed that nobody should wait for. */
  refresh(): void;
  /**
   * The board's facts have changed. Who is in service, or full, is told at once; other loads wait for the world of
   * each second.
   */
  learn(facts: Facts): void;
  /** For a process that goes on. */
  unseen(): Unseen;
  /** Expects those whom another process sent. */
  expect(unseen: Unseen): void;
  /** What the prices go by, for a process that goes on, */
  learned(): Learned;
  /** and that of the one before. */
  remember(learned: Learned): void;
  readonly metrics: MetricSource;
  stop(): Promise<void>;
}

export interface WorldsOptions {
  readonly board: Board;
  /** Decisions of all serving threads since the last call. */
  readonly takeArrivals: () => Iterable<Arrivals>;
  /** By edge id. */
  readonly staleStreams: () => ReadonlyMap<string, ReadonlySet<string>>;
  /** Whom services go on sending viewers to though probes find them down. */
  readonly kept: () => readonly Kept[];
  /** What is known of streams and edges, where a service asks for that. */
  readonly heat: () => StreamHeat | undefined;
  /** What players' reports add to distances, for the indices of that inventory. */
  readonly corrections: (inventory: Inventory) => Corrections | undefined;
  /** Not for `take`, whose caller knows. */
  readonly onWorld: (world: World) => void;
  readonly log: Pick<Log, "error">;
  /** Left out: prices are found in a thread of their own. */
  readonly newSolver?: typeof solveInThread;
}

const TICK_MS = 1000;

export function createWorlds(options: WorldsOptions): Worlds {
  const {
    board,
    takeArrivals,
    staleStreams,
    kept,
    heat,
    corrections,
    onWorld,
    log,
    newSolver = solveInThread,
  } = options;
  const solver = newSolver((death) => log.error({ ...death }, "the prices' thread has died and is replaced"));
  let inventory: Inventory | undefined;
  let world: World | undefined;
  /** That the world was made of. */
  let known: Facts | undefined;
  let isHeld = false;
  const refresh = (): void => {
    if (!isHeld) onWorld(make());
  };
  const pricing = createPacedPricing(createPricing({ rampUpMs: 60_000, solver, onSudden: refresh }), refresh);
  const make = (): World => {
    const facts = board.facts();
    known = facts;
    const keptUp = keptUpOf(kept(), inventory?.edges ?? []);
    const priced = pricing.world(withKept(facts, keptUp), performance.now());
    const stale = staleStreams();
    const streams = stale.size === 0 ? priced.staleStreams : byIndex(stale, inventory?.edges ?? []);
    const hot = heat();
    const added = inventory && corrections(inventory);
    return (world = {
      ...priced,
      up: facts.up,
      ...(facts.downAddresses === undefined ? {} : { downAddresses: facts.downAddresses }),
      ...(keptUp.size === 0 ? {} : { keptUp }),
      staleStreams: streams,
      ...(hot === undefined ? {} : { heat: hot }),
      ...(added === undefined ? {} : { corrections: added }),
    });
  };
  const timer = setInterval(() => {
    if (inventory === undefined || isHeld) return;
    pricing.tick(takeArrivals(), performance.now());
  }, TICK_MS);
  return {
    take(next) {
      inventory = next;
      pricing.take(next.edges, next.services);
      return make();
    },
    hold: () => {
      isHeld = true;
    },
    release() {
      isHeld = false;
      return make();
    },
    begin() {
      make();
      pricing.begin();
      return make();
    },
    current: () => world ?? make(),
    refresh,
    learn(facts) {
      if (known === undefined || !areAsServing(facts, known)) refresh();
    },
    unseen() {
      const now = isHeld && world !== undefined ? world : make();
      return unseenOf(now, known, inventory?.edges ?? []);
    },
    expect: (unseen) => countUnseen(world ?? make(), unseen, inventory?.edges ?? []),
    learned: pricing.memory,
    remember: pricing.remember,
    metrics: () => [priceGauge(inventory?.edges ?? [], world)],
    stop() {
      clearInterval(timer);
      pricing.stop();
      return solver.stop();
    },
  };
}

function priceGauge(edges: readonly Edge[], world: World | undefined): SimpleFamily {
  return {
    kind: "gauge",
    name: "edge_price_km",
    help: "Kilometres that are added to the distance of the edge, so that demand meets capacity.",
    samples: edges.map(({ id, index }) => ({ labels: { edge: id }, value: world?.priceKm[index] ?? 0 })),
  };
}

/** As `World.staleStreams`, of what is known by edge id. */
function byIndex(
  stale: ReadonlyMap<string, ReadonlySet<string>>,
  edges: readonly Edge[],
): World["staleStreams"] {
  return new Map(
    edges.flatMap(({ id, index }) => {
      const streams = stale.get(id);
      return streams === undefined || streams.size === 0 ? [] : [[index, new Set(streams)] as const];
    }),
  );
}

/** As `World.keptUp`. */
function keptUpOf(kept: readonly Kept[], edges: readonly Edge[]): Map<number, Uint8Array> {
  const keptUp = new Map<number, Uint8Array>();
  for (const { serviceIndex, edgeId, up } of kept) {
    const index = edges.findIndex(({ id }) => id === edgeId);
    const bits = keptUp.get(serviceIndex) ?? new Uint8Array(edges.length);
    keptUp.set(serviceIndex, bits);
    if (index >= 0) bits[index] = (bits[index] as number) | up;
  }
  return keptUp;
}

/** The facts for the prices: whom any service goes on sending viewers to is not lost. */
function withKept(facts: Facts, keptUp: ReadonlyMap<number, Uint8Array>): Facts {
  if (keptUp.size === 0) return facts;
  const anyUp = facts.up.map((_, index) =>
    [...keptUp.values()].reduce((bits, ofService) => bits | (ofService[index] as number), 0),
  );
  return {
    ...facts,
    up: facts.up.map((up, index) => up | (anyUp[index] as number)),
    inDoubt: facts.inDoubt.map((doubt, index) => (anyUp[index] === 0 ? doubt : 1)),
  };
}
