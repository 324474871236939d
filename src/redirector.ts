import { createDecisionCounts, createDecisionTotals, type DecisionCounts } from "./decision-counts.ts";
import type { Decide, Decision, DoorName, Keep, Question, Trace } from "./model/decision.ts";
import type { Client } from "./model/client.ts";
import type { Inventory } from "./model/inventory.ts";
import type { Locate } from "./model/location.ts";
import type { Service } from "./model/service.ts";
import type { World } from "./model/world.ts";
import { createLedger, type Arrivals, type Ledger } from "./pricing/ledger.ts";
import { type Pools, poolsOf } from "./pricing/pools.ts";
import { createRecent } from "./pricing/recent.ts";
import { createField, type Field } from "./selection/field.ts";
import { keepPlaying } from "./selection/keep.ts";
import { barrierKm, usedShare } from "./selection/live.ts";
import { select } from "./selection/select.ts";
import { streamOf } from "./selection/stream.ts";

/**
 * hostname + client → Decision: the one engine behind both doors.
 *
 * ```
 * hostname ─► service ─┐
 * client ───► locate ──┼─► select ─► Decision ─► counted
 * inventory, world ────┘
 * ```
 *
 * Inventory and world are replaced whole between two decisions, so that none is made of a mixture.
 */
export interface Redirector {
  readonly decide: Decide;
  readonly keep: Keep;
  /** The same decision, neither counted nor logged. */
  readonly explain: (question: Question, trace: Trace) => Decision | undefined;
  take(inventory: Inventory, world: World): void;
  /** Where the decisions since the last call were made for, by the pools of the inventory in use. */
  takeArrivals(): Arrivals;
}

/**
 * @param newCells where decisions by an inventory are counted, as from `DecisionTotals`
 * @param monotonicMs time, for telling who asks again
 */
export function createRedirector(
  locate: Locate,
  newCells = createDecisionTotals().newCells,
  monotonicMs = (): number => performance.now(),
): Redirector {
  const recent = createRecent();
  let inService: InService | undefined;
  let lastDecision: Decision | undefined;
  let lastClient: Client | undefined;

  /** Whoever is sent to an edge is load there before a report shows it. */
  const foresee = (
    { world, pools, ledger }: InService,
    decision: Decision,
    door: DoorName,
    { client, playing }: Pick<Question, "client" | "playing">,
  ): void => {
    const best = decision.edges[0];
    if (best === undefined) return;
    const { index, dns } = decision.service;
    const windowMs = door === "dns" ? dns.ttlSeconds * 1000 : PLAYING_MS;
    const slot = world.sent.slot[best.edge.index] as number;
    // Who plays from there is in its reports. Who is moved there is new to it, however often he asks until he has moved.
    if (playing?.id === best.edge.id) return;
    const what = playing === undefined ? index : -1 - slot;
    if (!recent.isNew(client, what, windowMs, monotonicMs())) return;
    ledger.count(door, pools.ofService[index] as number, slot, decision.location);
  };

  const choose = (question: Question, door: DoorName | undefined, trace?: Trace): Decision | undefined => {
    if (inService === undefined) return undefined;
    const service = inService.serviceAt(question.hostname);
    if (service === undefined) return undefined;
    const stream = question.path === undefined ? undefined : streamOf(service, question.path);
    const most = question.most ?? (door === "dns" ? service.dns.answers : service.edges.length);
    const viewer = {
      client: question.client,
      located: locate(question.client),
      most,
      ...(stream === undefined ? {} : { stream }),
    };
    const { field, world } = inService;
    const { playing } = question;
    const decision = select(service, viewer, field, world, trace);
    return playing === undefined ? decision : keepPlaying(decision, playing, world, stream);
  };

  return {
    decide(question, door, trace) {
      const decision = choose(question, door, trace);
      if (decision !== undefined && inService !== undefined) {
        inService.counts.count(decision, door);
        foresee(inService, decision, door, question);
      }
      lastDecision = decision;
      lastClient = question.client;
      return decision;
    },
    keep(decision, door) {
      const madeIn = inService;
      const client = lastClient;
      if (madeIn === undefined || client === undefined || decision !== lastDecision) return undefined;
      const count = madeIn.counts.repeated(decision, door);
      return () => {
        if (inService !== madeIn || !isAtRest(decision, madeIn.world)) return false;
        count();
        foresee(madeIn, decision, door, { client });
        return true;
      };
    },
    explain: (question, trace) => choose(question, undefined, trace),
    take(inventory, world) {
      if (world.generation !== inventory.generation) throw new Error("world and inventory differ");
      inService =
        inService?.inventory === inventory
          ? { ...inService, world }
          : {
              inventory,
              world,
              field: createField(inventory.edges),
              serviceAt: serviceFinder(inventory.services),
              counts: createDecisionCounts(inventory, newCells(inventory)),
              ...ledgerFor(inventory, world),
            };
    },
    takeArrivals: () => inService?.ledger.takeArrivals() ?? [],
  };
}

interface InService {
  readonly inventory: Inventory;
  readonly world: World;
  readonly field: Field;
  readonly serviceAt: (hostname: string) => Service | undefined;
  readonly counts: DecisionCounts;
  readonly pools: Pools;
  readonly ledger: Ledger;
}

function ledgerFor({ services }: Inventory, { sent }: World): Pick<InService, "pools" | "ledger"> {
  const pools = poolsOf(services);
  return { pools, ledger: createLedger(sent.counts, pools.pools.length) };
}

/**
 * Whether no edge that the decision names grows dearer by whom is sent to it. Others only do, as long as the world
 * stays: the decision would be made again.
 */
function isAtRest({ edges, service }: Decision, world: World): boolean {
  const named = Math.min(edges.length, service.dns.answers);
  for (let i = 0; i < named; i++) {
    const { index } = (edges[i] as Decision["edges"][number]).edge;
    if (barrierKm(usedShare(world, index, service.margin)) > 0) return false;
  }
  return true;
}

/** A player who is redirected again within this time still watches. */
const PLAYING_MS = 60_000;

/** Exact names first, then the wildcard of the closest name above that exists (RFC 4592 3.3.1). */
export function serviceFinder(services: readonly Service[]): (hostname: string) => Service | undefined {
  const byName = new Map<string, Service>();
  for (const service of services) for (const hostname of service.hostnames) byName.set(hostname, service);
  const existing = new Set<string>();
  for (const hostname of byName.keys())
    for (let name: string | undefined = hostname; name !== undefined; name = parent(name)) existing.add(name);

  return (hostname) => {
    const exact = byName.get(hostname);
    if (exact !== undefined || existing.has(hostname)) return exact;
    let name = parent(hostname);
    while (name !== undefined && !existing.has(name)) name = parent(name);
    return name === undefined ? undefined : byName.get(`*.${name}`);
  };
}

function parent(name: string): string | undefined {
  const dot = name.indexOf(".");
  return dot < 0 ? undefined : name.slice(dot + 1);
}
