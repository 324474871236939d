/**
 * Introduces the rooms to each other, starts them in order and stops them in reverse.
 *
 * ```
 * config ─► inventory ─┬─► geo (places, databases) ─► locate ─┐
 *                      ├─► probes ─┐                          ├─► redirector ───► http door, for what is rare
 *                      ├─► load  ──┴─► board ─► world ────────┴─► dns and http threads, each with a redirector
 *                      └─► operators' door: reads all of it, drains, reloads
 * ```
 *
 * A new configuration is read beside the running one and then handed to every room in one turn of the
 * event loop, so that no answer is made of a mixture.
 */
import { randomBytes } from "node:crypto";
import { createBroadcast } from "./base/broadcast.ts";
import { systemClock } from "./base/clock.ts";
import { createServiceTable } from "./base/service-table.ts";
import { type HandedSockets, NOTHING_INHERITED } from "./base/inherited-sockets.ts";
import { watchCanary } from "./control/canary.ts";
import { createAcmeApi } from "./acme/api.ts";
import { createChallenges } from "./acme/challenges.ts";
import { createBoard } from "./condition/board.ts";
import { tellChange } from "./condition/change.ts";
import { createExperience } from "./experience/experience.ts";
import { createFailStatic } from "./condition/fail-static.ts";
import { createStateFile } from "./condition/state-file.ts";
import { digestOfFiles } from "./config/digest.ts";
import { withCompiledNames } from "./control/compiled-names.ts";
import { loadConfigInThread } from "./config/thread.ts";
import { watchFromNow } from "./config/watch.ts";
import { createDecisionTotals } from "./engine/decision-counts.ts";
import { sampled, watchDecisions } from "./engine/decision-samples.ts";
import { watchDrains } from "./control/drain-watch.ts";
import { createDrains } from "./draining/drains.ts";
import { drainMetrics } from "./draining/metrics.ts";
import { openGeo } from "./geo/geo.ts";
import { startPullers } from "./load/puller.ts";
import { createMistContext } from "./engine/mist-balancer.ts";
import type { Endpoint, Inventory } from "./model/inventory.ts";
import type { Log } from "./model/log.ts";
import type { MetricSource } from "./model/metrics.ts";
import type { OpsEvent, ReloadVerdict, ReplaceVerdict } from "./ops/api.ts";
import { createOpsApi } from "./control/ops-api.ts";
import { startProbes } from "./probe/prober.ts";
import { startStreamChecks } from "./probe/streams.ts";
import { packInSteps } from "./threads/packed-inventory.ts";
import { createRedirector } from "./engine/redirector.ts";
import { createReloads } from "./control/reloads.ts";
import { allSockets, type Memory, type Predecessor } from "./succession.ts";
import { troubleMetric } from "./control/service-trouble.ts";
import { keepHeat } from "./control/stream-heat.ts";
import { watchStreams } from "./control/stream-watch.ts";
import { createWorlds } from "./control/worlds.ts";
import { createExclusiveDoors } from "./exclusive-doors.ts";
import { closeToNewcomers, openViewersDoors, type ViewersDoors } from "./viewers-doors.ts";

export interface AppOptions {
  /** As loaded at start. */
  readonly inventory: Inventory;
  /** Where `${NAME}` comes from at a reload. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly version: string;
  /** Of rooms that live outside, as the log. */
  readonly metrics: readonly MetricSource[];
  /** Puts another process in this one's place. */
  readonly replace: () => Promise<ReplaceVerdict>;
  /** The process whose place this one takes; left out: there is none. */
  readonly predecessor?: Predecessor;
}

export interface App {
  /**
   * Resolves when the viewers' doors are open, after the first round of probes, with where they really listen.
   * Rejects if an address cannot be listened on, with that address and the reason.
   */
  readonly opened: Promise<Endpoints>;
  /** Opens the query log's file anew too. */
  reload(): Promise<ReloadVerdict>;
  /** That alone. */
  reopenLog(): void;
  /** The sockets of the viewers' doors; `undefined` while they are not open, or where they cannot be handed over. */
  sockets(): readonly HandedSockets[] | undefined;
  /** What another process has to know to go on. */
  memory(): Memory;
  /** At any time; doors that are not open yet stay closed. */
  stop(): Promise<void>;
  /**
   * As `stop`, for a process that viewers can reach at another one: first the doors that both cannot have open.
   * @param freed called when they are closed
   */
  leave(freed: () => void): Promise<void>;
}

export interface Endpoints {
  readonly dns: readonly Endpoint[];
  readonly http: readonly Endpoint[];
  readonly https?: readonly Endpoint[];
  readonly ops: Endpoint;
}

/**
 * Runs edgeward. Resolves when the operators' door is open.
 * @throws if that address cannot be listened on, with the address and the reason; then nothing is left running
 */
export async function startApp(options: AppOptions): Promise<App> {
  const closing: (() => unknown)[] = [];
  try {
    return await start(options, closing);
  } catch (error) {
    await stopAll(closing);
    throw error;
  }
}

/** @param closing is given a way to stop for everything that is started */
async function start(options: AppOptions, closing: (() => unknown)[]): Promise<App> {
  const { environment, log, version, predecessor } = options;
  const onStop = (stop: () => unknown): void => void closing.push(stop);
  const metrics: MetricSource[] = [...options.metrics];
  const events = createBroadcast<OpsEvent>();
  let inventory = options.inventory;
  const watch = watchFromNow(inventory.file);
  onStop(watch.stop);
  const doors: Partial<ViewersDoors> = {};

  const geo = await openGeo({ files: inventory.geoip, places: inventory.places, log });
  onStop(() => geo.stop());
  const decisions = createDecisionTotals();
  const decisionWatch = watchDecisions(events);
  const engine = createRedirector(geo.locate, decisions.newCells, undefined, geo.widen);
  const redirector = { ...engine, decide: sampled(engine.decide, decisionWatch) };

  const stateFile = createStateFile(inventory.stateFile, log);
  const failStatic = createFailStatic({
    log,
    isActive: (edgeId) => board.isActive(edgeId),
    onChange: () => worlds.refresh(),
  });
  onStop(() => failStatic.stop());
  const board = createBoard({
    overrides: await stateFile.read(),
    onChange: (change) => {
      tellChange(log, change);
      if (change.kind === "state") failStatic.stateChanged();
      if (!events.isHeard()) return;
      const condition = board.condition(change.edgeId);
      if (condition !== undefined) events.emit({ kind: "condition", atMs: Date.now(), condition });
    },
    onFacts: (facts) => worlds.learn(facts),
    onOverrides: () => void stateFile.write(board.overrides()),
  });
  onStop(() => board.stop());
  board.take(inventory);
  failStatic.take(inventory);
  const drains = createDrains({
    onEmpty(edgeId, drain) {
      log.info({ edge: edgeId, ...drain }, "edge drained: nobody is left on it");
      events.emit({ kind: "drained", atMs: Date.now(), edgeId, drain });
    },
  });
  const drainWatch = watchDrains(board, drains, () => inventory);
  onStop(() => drainWatch.stop());
  const checker = startStreamChecks({ log, onStale: () => worlds.refresh() });
  onStop(() => checker.stop());
  const heatKeeper = keepHeat(board, () => inventory);
  onStop(() => heatKeeper.stop());
  const experience = createExperience({ onChange: () => worlds.refresh(), clock: systemClock });
  onStop(() => experience.stop());
  experience.take(inventory);
  const worlds = createWorlds({
    board,
    log,
    staleStreams: checker.staleStreams,
    kept: failStatic.kept,
    *takeArrivals() {
      yield redirector.takeArrivals();
      for (const door of [doors.dns, doors.http]) yield* door?.takeArrivals() ?? [];
    },
    heat: () => heatKeeper.heat(),
    corrections: (inventory) => experience.corrections(inventory),
    onWorld: (world) => {
      redirector.take(inventory, world);
      doors.dns?.take(inventory, world);
      doors.http?.take(inventory, world);
    },
  });
  onStop(() => worlds.stop());
  worlds.take(inventory);

  const challenges = createChallenges({ onChange: (values) => doors.dns?.challenge(values) });
  onStop(() => challenges.stop());
  const remember = (memory: Memory): void => {
    board.remember(memory.board);
    challenges.remember(memory.challenges);
  };
  if (predecessor !== undefined) remember(predecessor.memory);
  const cookieSecret = predecessor?.memory.cookieSecret ?? randomBytes(16).toString("hex");

  const prober = startProbes({
    log,
    onHealth(edgeId, family, health, reason, isInDoubt) {
      // First, so that no world has them down.
      failStatic.health(edgeId, family, health, reason);
      board.health(edgeId, family, health, reason, isInDoubt);
    },
    onDownAddresses: (edgeId, bits) => board.downAddresses(edgeId, bits),
  });
  onStop(() => prober.stop());
  const canary = watchCanary({ log, onCanary: failStatic.canary });
  onStop(canary.stop);
  const mist = createMistContext({ inventory: () => inventory, board, redirector });
  const pullers = startPullers({
    log,
    onReport: (...news) => board.report(...news),
    onDetails: mist.details,
  });
  onStop(() => pullers.stop());

  const stopped = new AbortController();
  const reloads = createReloads({
    stopped: stopped.signal,
    log,
    load: () =>
      loadConfigInThread(inventory.file, {
        environment,
        nowMs: Date.now(),
        generation: inventory.generation + 1,
        areCertificatesInUse: true,
      }).then(withCompiledNames),
    digest: () => digestOfFiles(inventory.file),
    current: () => inventory,
    prepare: (next) => geo.prepareFiles(next.geoip),
    settle: [
      packInSteps,
      (next) => redirector.prepareInSteps(next),
      inOneTurn((next) => {
        worlds.hold();
        board.take(next);
      }),
      inOneTurn((next) => failStatic.take(next)),
      inOneTurn((next) => prober.take(next)),
      inOneTurn((next) => canary.take(next)),
      inOneTurn((next) => pullers.take(next)),
      inOneTurn((next) => checker.take(next)),
      inOneTurn((next) => worlds.take(next)),
    ],
    take(next, useDatabases) {
      inventory = next;
      useDatabases();
      geo.setPlaces(next.places);
      const world = worlds.release();
      redirector.take(next, world);
      doors.dns?.take(next, world);
      doors.http?.take(next, world);
      exclusive.take(next);
      challenges.keep(isServed);
      experience.take(next);
    },
    told: (verdict) => events.emit({ kind: "reload", atMs: Date.now(), verdict }),
  });
  metrics.push(
    geo.metrics,
    board.metrics,
    prober.metrics,
    pullers.metrics,
    decisions.metrics,
    worlds.metrics,
    checker.metrics,
    failStatic.metrics,
    reloads.metrics,
    experience.metrics,
    () => drainMetrics(drains.all(), Date.now()),
  );

  const isServed = (hostname: string): boolean => {
    const find = createServiceTable(inventory.services);
    return find(hostname) !== undefined || find(`*.${hostname}`) !== undefined;
  };
  const api = createOpsApi({
    version,
    metrics,
    board,
    failStatic,
    worlds,
    drains: { view: (id) => drains.view(id), refresh: () => drainWatch.refresh() },
    geo,
    redirector,
    reloads,
    replace: options.replace,
    acme: createAcmeApi(challenges, () => inventory.acme.accounts, isServed),
    saveOverrides: async () => (await stateFile.write(board.overrides())).kind === "written",
    inventory: () => inventory,
    loadFailures: pullers.failures,
    waitingFor: () => (doors.http === undefined ? ["the first round of probes is not complete"] : []),
    subscribe: decisionWatch.subscribe,
  });
  const exclusive = createExclusiveDoors({
    inventory: () => inventory,
    api,
    mistContext: mist.context,
    version,
    log,
  });
  onStop(() => exclusive.stop());
  metrics.push(exclusive.metrics);
  if (predecessor === undefined) await exclusive.openOps();

  prober.take(inventory);
  canary.take(inventory);
  pullers.take(inventory);
  checker.take(inventory);
  onStop(watchStreams(checker, board, () => inventory));
  watch.start(() => void reloads.edited());

  let graceMs: number | undefined;
  const open = async (): Promise<Endpoints> => {
    await prober.firstRound;
    await reloads.settled();
    if (stopped.signal.aborted) throw new Error("stopped before the doors were open");
    // Both doors begin with the same, whatever is reloaded while they open.
    const [first, world] = [inventory, worlds.begin()];
    redirector.take(first, world);
    const { dns, http } = await openViewersDoors({
      begin: {
        inventory: first,
        world,
        inherited: predecessor?.inherited ?? NOTHING_INHERITED,
        geo,
        decisions,
        decisionWatch,
        log,
      },
      cookieSecret: Buffer.from(cookieSecret, "hex"),
      decide: redirector.decide,
      edges: () => inventory.edges,
      drains,
      experience,
      graceMs: () => graceMs,
      onStop,
    });
    if (predecessor === undefined) await exclusive.openMist();
    dns.challenge(challenges.values());
    await reloads.settled();
    // What was reloaded while they opened.
    dns.take(inventory, worlds.current());
    http.take(inventory, worlds.current());
    Object.assign(doors, { dns, http });
    metrics.push(dns.metrics, http.metrics, () => [troubleMetric(inventory, worlds.current())]);
    if (predecessor !== undefined) {
      const memory = await predecessor.relieve();
      if (memory !== undefined) {
        remember(memory);
        // It may have had another state file, or one that could not be written.
        void stateFile.write(board.overrides());
        worlds.expect(memory.unseen);
        worlds.remember(memory.learned);
      }
      await exclusive.openAtLast(stopped.signal);
    }
    if (stopped.signal.aborted) {
      await exclusive.stop();
      await stopAll(closing);
    }
    const https = http.httpsEndpoints.length === 0 ? {} : { https: http.httpsEndpoints };
    return { dns: dns.endpoints, http: http.endpoints, ...https, ops: exclusive.opsEndpoint() as Endpoint };
  };
  return {
    opened: open(),
    reload() {
      doors.dns?.reopenLog();
      return reloads.reload();
    },
    reopenLog: () => doors.dns?.reopenLog(),
    sockets: () => allSockets(doors),
    memory: () => ({
      board: board.memory(),
      challenges: challenges.memory(),
      cookieSecret,
      unseen: worlds.unseen(),
      learned: worlds.learned(),
    }),
    async stop() {
      stopped.abort();
      await closeToNewcomers(doors);
      await stopAll(closing);
    },
    async leave(freed) {
      stopped.abort();
      graceMs = LEAVING_GRACE_MS;
      await exclusive.stop();
      freed();
      await stopAll(closing);
    },
  };
}

/** Nobody waits for a process that has been replaced, but slow clients who reached it. */
const LEAVING_GRACE_MS = 4000;

/** A step of a reload that cannot be divided. */
function inOneTurn(take: (next: Inventory) => unknown): (next: Inventory) => undefined {
  return (next) => void take(next);
}

async function stopAll(closing: (() => unknown)[]): Promise<void> {
  for (let stop = closing.pop(); stop !== undefined; stop = closing.pop()) await stop();
}
