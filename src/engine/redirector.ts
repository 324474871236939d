import { createDecisionCounts, createDecisionTotals, type DecisionCounts } from "./decision-counts.ts";
import { finished, type Steps } from "../base/steps.ts";
import { type FindServed, serviceTableInSteps } from "../base/service-table.ts";
import type { Choice, Decide, Decision, DoorName, Keep, Question, Recall, Trace } from "../model/decision.ts";
import type { Client } from "../model/client.ts";
import type { Edge } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import { contains } from "../base/address.ts";
import type { Prefix } from "../model/address.ts";
import type { Locate, Located, Location, Widen } from "../model/location.ts";
import type { Service } from "../model/service.ts";
import type { World } from "../model/world.ts";
import { createKeptDecisions, type KeptDecisionsOptions } from "./kept-decisions.ts";
import { type Arrivals, Ledger, type PackedArrivals } from "../pricing/ledger.ts";
import { type Pools, poolsInSteps } from "../pricing/pools.ts";
import { askAgainMs, createRecent } from "../pricing/recent.ts";
import { askersKey, squareKey } from "../pricing/squares.ts";
import { type AtDoor, createAtDoor, unreachableAt } from "../selection/at-door.ts";
import { applyBias } from "../selection/bias.ts";
import { createField, type Field } from "../selection/field.ts";
import { laidOut } from "../selection/world-layout.ts";
import { keepPlaying } from "../selection/keep.ts";
import { barrierKm, usedShare } from "../selection/live.ts";
import { addViewers } from "../selection/heat.ts";
import { isReachedByIpv4 } from "../selection/over-ipv4.ts";
import { select } from "../selection/select.ts";
import { type Sight, Sights } from "../selection/sights.ts";
import type { Viewer } from "../selection/viewer.ts";
import { streamKeyOf, streamOf, streamOfHostname } from "../selection/stream.ts";

/**
 * hostname + client → Decision: the one engine behind both doors.
 *
 * ```
 * hostname ─► service ─► sight ─┬─► kept for the client's network? ───────────┬─► Decision ─► counted
 * client ───► locate ───────────┼─► select ─► kept, if it holds for all of it ─┘
 * inventory, world ─────────────┘
 * ```
 *
 * Inventory and world are replaced whole between two decisions, so that none is made of a mixture.
 */
export interface Redirector {
  readonly decide: Decide;
  readonly keep: Keep;
  readonly recall: Recall;
  /**
   * The same decision, neither counted nor logged.
   * @param door left out: every edge is looked at, whatever it can be named by
   */
  readonly explain: (question: Question, trace: Trace, door?: DoorName) => Decision | undefined;
  take(inventory: Inventory, world: World): void;
  /** Does most of the work for an inventory that is taken next; what is decided meanwhile is by the one in use. */
  prepareInSteps(inventory: Inventory): Steps<void>;
  /** Viewers may be located elsewhere than before. */
  forget(): void;
  /** Nobody has asked yet, and time may stand before what it was: as after a rehearsal. */
  begin(): void;
  /** Where the decisions since the last call were made for, by the pools of the inventory in use. */
  takeArrivals(): Arrivals;
  takePackedArrivals(): PackedArrivals;
}

/**
 * @param newCells where decisions by an inventory are counted, as from `DecisionTotals`
 * @param monotonicMs time, for telling who asks again
 * @param widen left out: answers are for the networks of the records that locate viewers
 */
export function createRedirector(
  locate: Locate,
  newCells = createDecisionTotals().newCells,
  monotonicMs = (): number => performance.now(),
  widen: Widen = () => undefined,
): Redirector {
  const recent = createRecent();
  let inService: InService | undefined;
  let prepared: Ground | undefined;
  let last: { readonly decision: Decision; readonly question: Question; readonly sight: Sight } | undefined;

  /** Who comes with an answer for the place because he lost his edge, beside those whom it usually brings. */
  const returningTo = (
    { index }: Service,
    { from }: Client,
    latitude = Number.NaN,
    longitude = Number.NaN,
  ): number => {
    const { world, pools } = inService as InService;
    if (world.returning === undefined || world.returning.size === 0) return 0;
    const square = squareKey(pools.ofService[index] as number, latitude, longitude);
    return world.returning.get(askersKey(square, from === "client-subnet")) ?? 0;
  };

  /** Whoever is sent to an edge is load there before a report shows it. @returns whether he was sent nowhere lately */
  const foresee = (decision: Decision, door: DoorName, question: Question, { world }: Sight): boolean => {
    const { field, pools, ledger } = inService as InService;
    const { client, playing } = question;
    const best = decision.edges[0];
    if (best === undefined) return false;
    const { index } = decision.service;
    const windowMs = door === "dns" ? askAgainMs(decision.service) : PLAYING_MS;
    // Who plays from there is in its reports. Who is moved there is new to it, however often he asks until he has moved.
    if (playing?.edge.id === best.edge.id) return false;
    const what = playing === undefined ? index : -1 - (world.sent.slot[best.edge.index] as number);
    if (!recent.isNew(client, what, best.edge.index, world.up, windowMs, monotonicMs())) return false;
    const { latitude, longitude } = decision.location;
    const returning = door === "dns" ? returningTo(decision.service, client, latitude, longitude) : 0;
    const stream = world.heat === undefined ? undefined : streamKeyFor(decision.service, question);
    const named = door === "dns" ? namedIn(decision) : 1;
    for (let i = 0; i < named; i++) {
      const edge = (decision.edges[i] as Choice).edge.index;
      const slot = world.sent.slot[edge] as number;
      ledger.count(door, pools.ofService[index] as number, slot, decision.location, client.from);
      if (returning > 0) ledger.add(slot, returning / named);
      if (world.heat === undefined || stream === undefined) continue;
      const viewers = door === "dns" ? (world.sent.viewersPerAnswer[edge] as number) : 1;
      addViewers(world.heat, stream, field.idHashes[edge] as number, viewers);
    }
    return true;
  };

  const located = (question: Question): Located => {
    const { client, location } = question;
    if (location !== undefined) return { location, prefixLength: client.prefixLength };
    const isPlaceless = question.path === undefined && inService?.isPlaceless(client) === true;
    return isPlaceless ? nowhere(client) : locate(client);
  };

  const returningFor = (service: Service, question: Question): number => {
    const { returning } = (inService as InService).world;
    if (returning === undefined || returning.size === 0) return 0;
    const { latitude, longitude } = located(question).location;
    return returningTo(service, question.client, latitude, longitude);
  };

  const choose = (
    { service, world, isPastOthers }: Sight,
    question: Question,
    most: number,
    trace?: Trace,
    brings = 0,
  ): Decision => {
    const { field } = inService as InService;
    const stream = question.path === undefined ? undefined : streamOf(service, question.path);
    const viewer: Viewer = {
      client: question.client,
      located: located(question),
      most,
      brings,
      streamKey: streamKeyFor(service, question),
      ...(stream === undefined ? {} : { stream }),
    };
    const { playing, bias } = question;
    const selected = select(service, viewer, field, world, trace);
    const unbiased = isPastOthers ? saidOfIpv4(selected) : selected;
    const decision = bias === undefined ? unbiased : applyBias(unbiased, bias);
    return playing === undefined ? decision : keepPlaying(decision, playing, question.client, world, stream);
  };

  /** `foresee` for DNS, where no stream is known, and the place is at `place[at]`. */
  const foreseeAgain: KeptDecisionsOptions["onAgain"] = (decision, client, { world }, place, at) => {
    const best = decision.edges[0];
    if (best === undefined) return false;
    const { pools, ledger } = inService as InService;
    const { index } = decision.service;
    const windowMs = askAgainMs(decision.service);
    if (!recent.isNew(client, index, best.edge.index, world.up, windowMs, monotonicMs())) return false;
    const returning = returningTo(decision.service, client, place[at], place[at + 1]);
    const named = namedIn(decision);
    for (let i = 0; i < named; i++) {
      const slot = world.sent.slot[(decision.edges[i] as Choice).edge.index] as number;
      ledger.countAt("dns", pools.ofService[index] as number, slot, place, at, client.from);
      if (returning > 0) ledger.add(slot, returning / named);
    }
    return true;
  };

  const kept = createKeptDecisions({ choose, widen, returningTo, monotonicMs, onAgain: foreseeAgain });

  const sightAt = (
    door: DoorName | undefined,
    configured: Service,
    { needsIpv4 }: Question,
    trace?: Trace,
  ): Sight => {
    const { sights, atDoor, field } = inService as InService;
    if (trace !== undefined && door !== undefined && atDoor(configured, door, false) !== configured)
      tellUnreachable(configured, field.edges, door, trace);
    return sights.of(configured, door, needsIpv4);
  };

  const decide = (
    question: Question,
    door: DoorName,
    configured: Service,
    sight: Sight,
    trace?: Trace,
  ): Decision => {
    const { service } = sight;
    const brings = door === "dns" ? returningFor(service, question) : 0;
    if (brings > 0) return choose(sight, question, question.most ?? service.dns.answers, trace, brings);
    const isForNetwork =
      door === "dns" &&
      question.most === undefined &&
      trace === undefined &&
      !movesWithLoad(service) &&
      inService?.isPlaceless(question.client) !== true;
    if (isForNetwork) return kept.decide(configured, question, sight);
    return choose(sight, question, question.most ?? service.edges.length, trace);
  };

  /** Without a second thought where whoever needs IPv4 is decided for alike. */
  const besideIpv4 = (
    decision: Decision,
    question: Question,
    door: DoorName,
    configured: Service,
  ): Decision => {
    const { sights } = inService as InService;
    const sight = sights.of(configured, door, true);
    if (sights.of(configured, door) === sight || isReachedByIpv4(decision)) return decision;
    const forIpv4 = choose(sight, question, sight.service.dns.answers);
    return {
      ...decision,
      scopePrefixLength: Math.max(decision.scopePrefixLength, forIpv4.scopePrefixLength),
      ttlSeconds: Math.min(decision.ttlSeconds, forIpv4.ttlSeconds),
      forIpv4,
    };
  };

  return {
    decide(question, door, trace) {
      const configured = inService?.serviceAt(question.hostname, question.path);
      if (inService === undefined || configured === undefined) {
        last = undefined;
        return undefined;
      }
      const sight = sightAt(door, configured, question, trace);
      const own = decide(question, door, configured, sight, trace);
      const decision = question.alsoForIpv4 === true ? besideIpv4(own, question, door, configured) : own;
      inService.counts.count(decision, door);
      if (foresee(decision, door, question, sight)) kept.sent(decision);
      last = { decision, question, sight };
      return decision;
    },
    keep(decision, door) {
      const madeIn = inService;
      if (madeIn === undefined || last === undefined || decision !== last.decision) return undefined;
      const { question, sight } = last;
      if (movesWithLoad(decision.service) || decision.forIpv4 !== undefined) return undefined;
      const recalled = door === "dns" ? kept.recall(decision) : undefined;
      if (recalled !== undefined) {
        const { memory, number } = recalled;
        return () => memory.repeat(question.client, number, decision.scopePrefixLength);
      }
      const count = madeIn.counts.repeated(decision, door);
      return () => {
        if (inService !== madeIn || !isAtRest(decision, madeIn.world)) return false;
        count();
        foresee(decision, door, question, sight);
        return true;
      };
    },
    explain(question, trace, door) {
      const configured = inService?.serviceAt(question.hostname, question.path);
      if (configured === undefined) return undefined;
      const sight = sightAt(door, configured, question, trace);
      const decision = choose(sight, question, question.most ?? sight.service.edges.length, trace);
      return kept.explained(decision, sight, question.client);
    },
    recall: kept.recall,
    take(inventory, world) {
      if (world.generation !== inventory.generation) throw new Error("world and inventory differ");
      if (inService?.inventory === inventory) {
        inService = inServiceOf(inService, laidOut(world), inService.counts, inService.ledger);
      } else {
        const ground = prepared?.inventory === inventory ? prepared : finished(groundInSteps(inventory));
        const counts = createDecisionCounts(inventory, newCells(inventory));
        const ledger = new Ledger(world.sent.counts, ground.pools.pools.length);
        inService = inServiceOf(ground, laidOut(world), counts, ledger);
        prepared = undefined;
      }
      kept.take(inService);
    },
    *prepareInSteps(inventory) {
      prepared = yield* groundInSteps(inventory);
    },
    forget: () => kept.forget(),
    begin() {
      kept.begin();
      recent.clear();
      last = undefined;
    },
    takeArrivals: () => inService?.ledger.takeArrivals() ?? [],
    takePackedArrivals: () => inService?.ledger.takePacked() ?? new Float64Array(0),
  };
}

/** How many edges an answer names. Resolvers hand them out in turns: each is counted, and how many viewers come to each is learned. */
function namedIn({ edges, service, answers = service.dns.answers }: Decision): number {
  return Math.min(edges.length, answers);
}

/** What is made of an inventory alone. */
interface Ground {
  readonly inventory: Inventory;
  readonly field: Field;
  readonly serviceAt: FindServed<Service>;
  readonly atDoor: AtDoor;
  readonly isPlaceless: (client: Client) => boolean;
  readonly pools: Pools;
}

interface InService extends Ground {
  readonly world: World;
  readonly sights: Sights;
  readonly counts: DecisionCounts;
  readonly ledger: Ledger;
}

/** Written out: what is spread is laid out anew each time, and code that was compiled for the last layout is compiled again. */
function inServiceOf(
  { inventory, field, serviceAt, atDoor, isPlaceless, pools }: Ground,
  world: World,
  counts: DecisionCounts,
  ledger: Ledger,
): InService {
  const sights = new Sights(field, atDoor, world);
  return { inventory, field, serviceAt, atDoor, isPlaceless, pools, world, sights, counts, ledger };
}

function* groundInSteps(inventory: Inventory): Steps<Ground> {
  const field = createField(inventory.edges);
  yield;
  const serviceAt = yield* serviceTableInSteps(inventory.services);
  yield;
  const pools = yield* poolsInSteps(inventory.services);
  yield;
  const isPlaceless = placelessFinder(inventory.dns.placeless ?? []);
  return { inventory, field, serviceAt, atDoor: createAtDoor(inventory.edges), isPlaceless, pools };
}

/**
 * Whether no edge that the decision names grows dearer by whom is sent to it. Others only do, as long as the world
 * stays: the decision would be made again.
 */
function isAtRest(decision: Decision, world: World): boolean {
  const named = namedIn(decision);
  for (let i = 0; i < named; i++) {
    const { index } = (decision.edges[i] as Choice).edge;
    if (barrierKm(usedShare(world, index, decision.service.margin)) > 0) return false;
  }
  return true;
}

/** Where others would be served, that is not for want of an edge. */
function saidOfIpv4(decision: Decision): Decision {
  const { outcome } = decision;
  const isForWant =
    outcome.kind === "refused" && (outcome.reason === "down" || outcome.reason === "no-edges");
  return isForWant ? { ...decision, outcome: { kind: "refused", reason: "no-ipv4" } } : decision;
}

function tellUnreachable(service: Service, edges: readonly Edge[], door: DoorName, trace: Trace): void {
  for (const index of service.edges) {
    const edge = edges[index] as Edge;
    const reason = unreachableAt(service, edge, door);
    if (reason !== undefined) trace.reject(edge, reason, Number.NaN);
  }
}

/** A player who is redirected again within this time still watches. */
const PLAYING_MS = 60_000;

/** Nothing is known of the place, and lots are drawn by the whole address. */
function nowhere({ prefixLength }: Client): Located {
  return { location: UNKNOWN_PLACE, prefixLength };
}

const UNKNOWN_PLACE: Location = { layer: "none" };

/** Whether it comes from a resolver that says nothing of where its viewers are, and is nowhere near them itself. */
function placelessFinder(placeless: readonly Prefix[]): InService["isPlaceless"] {
  if (placeless.length === 0) return () => false;
  return (client) =>
    (client.from === "source" || client.from === "asked") &&
    client.prefixLength === client.address.bytes.length * 8 &&
    placeless.some((prefix) => contains(prefix, client.address));
}

/** A hostname that names the stream does so at both doors; otherwise the path does. */
function streamKeyFor(
  service: Service,
  { hostname, path }: Pick<Question, "hostname" | "path">,
): number | undefined {
  if (service.affinity !== "stream") return undefined;
  const name =
    streamOfHostname(service, hostname) ?? (path === undefined ? undefined : streamOf(service, path));
  return name === undefined ? undefined : streamKeyOf(name);
}

/** By affinity at the DNS door: a stream widens, a viewer's edge fills up, while the world stays. */
function movesWithLoad({ affinity, hostnames }: Service): boolean {
  if (affinity === "viewer") return true;
  return affinity === "stream" && hostnames.some((hostname) => hostname.startsWith("*."));
}
