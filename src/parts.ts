/**
 * The rooms' introduction to each other.
 *
 * ```
 * config ─► inventory ─┬─► geo (places, databases) ─► locate ─┐
 *                      ├─► probes ─┐                          ├─► redirector ───► http door, for what is rare
 *                      ├─► load  ──┴─► board ─► world ────────┴─► dns and http threads, each with a redirector
 *                      └─► operators' door: reads all of it, drains, reloads
 * ```
 */
import { createChallenges, type Challenges } from "./acme/challenges.ts";
import { type Broadcast, createBroadcast } from "./base/broadcast.ts";
import { systemClock } from "./base/clock.ts";
import { type Conditions, createConditions } from "./control/conditions.ts";
import { type DrainWatch, watchDrains } from "./control/drain-watch.ts";
import { keepHeat } from "./control/stream-heat.ts";
import { createWatchers, type Watchers } from "./control/watchers.ts";
import { createWorlds, type Worlds } from "./control/worlds.ts";
import { createDrains, type Drains } from "./draining/drains.ts";
import { drainMetrics } from "./draining/metrics.ts";
import { createDecisionTotals, type DecisionTotals } from "./engine/decision-counts.ts";
import { sampled, watchDecisions } from "./engine/decision-samples.ts";
import { createMistContext } from "./engine/mist-balancer.ts";
import { createRedirector, type Redirector } from "./engine/redirector.ts";
import { createExperience, type Experience } from "./experience/experience.ts";
import { type Geo, openGeo } from "./geo/geo.ts";
import type { Inventory } from "./model/inventory.ts";
import type { Log } from "./model/log.ts";
import type { MetricSource } from "./model/metrics.ts";
import type { World } from "./model/world.ts";
import type { OpsEvent } from "./ops/api.ts";
import type { EarlyWorlds } from "./early-worlds.ts";
import type { ViewersDoors } from "./viewers-doors.ts";

/** All who decide, or know what decisions are made of. */
export interface Parts {
  readonly now: Now;
  readonly events: Broadcast<OpsEvent>;
  readonly geo: Geo;
  readonly decisions: DecisionTotals;
  readonly decisionWatch: ReturnType<typeof watchDecisions>;
  readonly redirector: Redirector;
  readonly conditions: Conditions;
  readonly drains: Drains;
  readonly drainWatch: DrainWatch;
  readonly experience: Experience;
  readonly worlds: Worlds;
  readonly challenges: Challenges;
  readonly mist: ReturnType<typeof createMistContext>;
  /** They have not begun. */
  readonly watchers: Watchers;
  readonly metrics: readonly MetricSource[];
}

/** What is in use: by whom viewers are answered, and by which configuration. */
export interface Now {
  inventory: Inventory;
  /** Absent until they are open. */
  doors: Partial<ViewersDoors>;
  /** While they open. */
  opening?: EarlyWorlds | undefined;
}

export interface PartsOptions {
  /** As loaded at start. */
  readonly inventory: Inventory;
  readonly log: Log;
  /** Given a way to stop for everything that is started. */
  readonly onStop: (stop: () => unknown) => void;
}

/** Introduces them to each other. Nobody looks at an edge yet, and no door is open. */
export async function assemble({ inventory, log, onStop }: PartsOptions): Promise<Parts> {
  const now: Now = { inventory, doors: {} };
  const current = (): Inventory => now.inventory;
  const events = createBroadcast<OpsEvent>();
  const geo = await openGeo({ files: inventory.geoip, places: inventory.places, log });
  onStop(() => geo.stop());
  const decisions = createDecisionTotals();
  const decisionWatch = watchDecisions(events);
  const engine = createRedirector(geo.locate, { newCells: decisions.newCells, widen: geo.widen });
  const redirector = { ...engine, decide: sampled(engine.decide, decisionWatch) };

  const conditions = await createConditions({
    inventory,
    log,
    events,
    onFacts: (facts) => worlds.learn(facts),
    onKept: () => worlds.refresh(),
  });
  onStop(() => conditions.stop());
  const { board, failStatic } = conditions;
  const drains = createDrains({
    onEmpty(edgeId, drain) {
      log.info({ edge: edgeId, ...drain }, "edge drained: nobody is left on it");
      events.emit({ kind: "drained", atMs: Date.now(), edgeId, drain });
    },
  });
  const drainWatch = watchDrains(board, drains, current);
  onStop(() => drainWatch.stop());
  const heatKeeper = keepHeat(board, current);
  onStop(() => heatKeeper.stop());
  const experience = createExperience({ onChange: () => worlds.refresh(), clock: systemClock });
  onStop(() => experience.stop());
  experience.take(inventory);
  const worlds = createWorlds({
    board,
    log,
    staleStreams: () => watchers.staleStreams,
    kept: failStatic.kept,
    *takeArrivals() {
      yield redirector.takeArrivals();
      for (const door of [now.doors.dns, now.doors.http]) yield* door?.takeArrivals() ?? [];
    },
    heat: () => heatKeeper.heat(),
    corrections: (inventory) => experience.corrections(inventory),
    onWorld: (world) => answerBy(world, now, redirector),
  });
  onStop(() => worlds.stop());
  const challenges = createChallenges({ onChange: (values) => now.doors.dns?.challenge(values) });
  onStop(() => challenges.stop());
  const mist = createMistContext({ inventory: current, board, redirector });
  const watchers = createWatchers({
    inventory: current,
    log,
    conditions,
    onDetails: mist.details,
    onStale: () => worlds.refresh(),
  });
  onStop(() => watchers.stop());
  worlds.take(inventory);
  const metrics = [
    geo.metrics,
    ...conditions.metrics,
    ...watchers.metrics,
    decisions.metrics,
    worlds.metrics,
    experience.metrics,
    () => drainMetrics(drains.all(), Date.now()),
  ];
  return {
    now,
    events,
    geo,
    decisions,
    decisionWatch,
    redirector,
    conditions,
    drains,
    drainWatch,
    experience,
    worlds,
    challenges,
    mist,
    watchers,
    metrics,
  };
}

/** From now on, everyone who answers viewers: in one turn of the event loop, so that no answer is of a mixture. */
export function answerBy(
  world: World,
  { inventory, doors, opening }: Now,
  redirector: Pick<Redirector, "take">,
): void {
  redirector.take(inventory, world);
  if (opening?.inventory === inventory) opening.take(world);
  doors.dns?.take(inventory, world);
  doors.http?.take(inventory, world);
}
