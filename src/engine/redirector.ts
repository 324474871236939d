import { finished, type Steps } from "../base/steps.ts";
import type { Choice, Decide, Decision, DoorName, Keep, Question, Recall, Trace } from "../model/decision.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Locate, Widen } from "../model/location.ts";
import type { World } from "../model/world.ts";
import { type Arrivals, Ledger, type PackedArrivals } from "../pricing/ledger.ts";
import { barrierKm, usedShare } from "../selection/live.ts";
import type { Sight } from "../selection/sights.ts";
import { laidOut } from "../selection/world-layout.ts";
import { createChooser } from "./choose.ts";
import { createDecisionCounts, createDecisionTotals, type DecisionTotals } from "./decision-counts.ts";
import { createDeciding, movesWithLoad } from "./deciding.ts";
import { createForesight, namedIn } from "./foresight.ts";
import { type Ground, groundInSteps, type InService, inServiceOf } from "./in-service.ts";
import { createKeptDecisions } from "./kept-decisions.ts";

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

export interface RedirectorOptions {
  /** Where decisions by an inventory are counted; left out: nobody asks how many there were. */
  readonly newCells?: DecisionTotals["newCells"];
  /** Time, for telling who asks again. */
  readonly monotonicMs?: () => number;
  /** Left out: answers are for the networks of the records that locate viewers. */
  readonly widen?: Widen;
}

export function createRedirector(locate: Locate, options: RedirectorOptions = {}): Redirector {
  const {
    newCells = createDecisionTotals().newCells,
    monotonicMs = () => performance.now(),
    widen = () => undefined,
  } = options;
  let inService: InService | undefined;
  let prepared: Ground | undefined;
  let last: { readonly decision: Decision; readonly question: Question; readonly sight: Sight } | undefined;

  const now = (): InService => inService as InService;
  const { returningTo, foresee, foreseeAt, clear } = createForesight(now, monotonicMs);
  const chooser = createChooser(locate, now);
  const { choose } = chooser;
  const kept = createKeptDecisions({ choose, widen, returningTo, monotonicMs, onAgain: foreseeAt });
  const { sightAt, decide } = createDeciding({ now, chooser, kept, returningTo });

  return {
    decide(question, door, trace) {
      const configured = inService?.serviceAt(question.hostname, question.path);
      if (inService === undefined || configured === undefined) {
        last = undefined;
        return undefined;
      }
      const sight = sightAt(door, configured, question, trace);
      const decision = decide(question, door, configured, sight, trace);
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
        const ground =
          prepared?.inventory === inventory ? prepared : finished(groundInSteps(inventory, inService));
        const counts = createDecisionCounts(inventory, newCells(inventory));
        const ledger = new Ledger(world.sent.counts, ground.pools.pools.length);
        inService = inServiceOf(ground, laidOut(world), counts, ledger);
        prepared = undefined;
      }
      kept.take(inService);
    },
    *prepareInSteps(inventory) {
      prepared = yield* groundInSteps(inventory, inService);
    },
    forget: () => kept.forget(),
    begin() {
      kept.begin();
      clear();
      last = undefined;
    },
    takeArrivals: () => inService?.ledger.takeArrivals() ?? [],
    takePackedArrivals: () => inService?.ledger.takePacked() ?? new Float64Array(0),
  };
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
