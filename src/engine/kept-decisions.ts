import type { Client } from "../model/client.ts";
import type { Decision, Memory, Question, Recall } from "../model/decision.ts";
import type { Widen } from "../model/location.ts";
import type { Service } from "../model/service.ts";
import type { Alike } from "../selection/alike.ts";
import { createLineages } from "../selection/lineages.ts";
import { doesGoByPlace, isExact } from "../selection/place-verdicts.ts";
import { type Sight, sightNames } from "../selection/sights.ts";
import { createWidening, scopeOf } from "../selection/widening.ts";
import { KeptRows, type KeptRowsOptions, type Made, NOT_KEPT, type Situation } from "./kept-rows.ts";
import { type Remembered, ServiceMemory, withScope } from "./service-memory.ts";

/**
 * For DNS, which sees networks: what was decided is known for all of a network, while nothing changes that it depends
 * on. After that, in another world, by another configuration, or while an edge fills up, the network's place is still
 * known. Where a decision goes by place alone it is chosen anew among the edges, and if one with the same edges was
 * made before, it is answered alike.
 *
 * ```
 * client's network ─► known? ─┬─ yes ──────────────────────────────────► number of those answered alike, scope
 *                             ├─ of old ─► chosen for its place ─► known ─►┘
 *                             └─ no ──► made ─► widened ─► kept
 * ```
 */
export interface KeptDecisions {
  /** @param sight of the service, for the question */
  decide(service: Service, question: Question, sight: Sight): Decision;
  /** What was decided last, if it is kept. */
  readonly recall: Recall;
  /** To be told where the decision was counted as that of a viewer who was sent nowhere lately. */
  sent(decision: Decision): void;
  /** With the widest scope that can be found in a moment longer than a query has. */
  explained(decision: Decision, sight: Sight, client: Client): Decision;
  /** From now on. What is kept of another inventory is known for its places alone. */
  take(situation: Situation): void;
  /** To be called when networks may be elsewhere. */
  forget(): void;
  /** Nothing was decided yet: time may stand before what it was. */
  begin(): void;
}

export interface KeptDecisionsOptions {
  readonly choose: (sight: Sight, question: Question, most: number) => Decision;
  readonly widen: Widen;
  readonly returningTo: KeptRowsOptions["returningTo"];
  readonly monotonicMs: () => number;
  /** @returns as `sent` is to be told */
  readonly onAgain: Remembered["onAgain"];
}

export function createKeptDecisions(options: KeptDecisionsOptions): KeptDecisions {
  const { choose, widen, returningTo, monotonicMs, onAgain } = options;
  const { widened, widest, isTimeLeft, begin } = createWidening(widen, monotonicMs);
  const rows = new KeptRows({ widened, returningTo, monotonicMs });
  const lineages = createLineages(() => rows.clear());
  let situation: Situation | undefined;
  const now = (): Situation => situation as Situation;
  const remembered = { rows, lineages, now, isTimeLeft, monotonicMs, onAgain };
  const memories = new Map<Service, Memory>();
  const memoriesOverIpv4 = new Map<Service, Memory>();
  let last: Last | undefined;

  const make = (sight: Sight, question: Question): Made => {
    const decision = choose(sight, question, sight.service.dns.answers);
    const isForPlace =
      isExact(decision.location) &&
      decision.outcome.kind === "edges" &&
      doesGoByPlace(sight.roster, sight.world);
    return { decision, sight, isForPlace };
  };

  const memoryOf = ({ service, needsIpv4 }: Last["asked"]): Memory => {
    const its = needsIpv4 ? memoriesOverIpv4 : memories;
    const memory = its.get(service) ?? new ServiceMemory(remembered, service, needsIpv4);
    its.set(service, memory);
    return memory;
  };

  const forget = (): void => {
    rows.clear();
    last = undefined;
  };

  return {
    decide(service, question, sight) {
      const { client, needsIpv4 = false } = question;
      const { roster, world } = sight;
      const asked = { service, needsIpv4 };
      const stamp = lineages.of(sight.name).stampIn(roster.stateIn(world).epoch);
      const made = make(sight, question);
      const { decision: chosen } = made;
      const row = rows.find(client, stamp);
      const known = row >= 0 && rows.isOfNow(row, stamp) ? rows.alikeAt(row) : undefined;
      if (known?.isAtRest(world) === true) {
        rows.widen(row, chosen, client, sight);
        const decision = withScope(chosen, rows.scopeAt(row));
        last = { decision, row, asked };
        return decision;
      }
      const scope = widened(chosen, client, sight, scopeOf(chosen));
      const decision = withScope(chosen, scope.prefixLength);
      last = { decision, row: rows.keep(client, stamp, made, scope, now()), asked };
      if (rows.isFull) {
        rows.beginNumbers();
        forget();
      }
      return decision;
    },
    recall(decision) {
      if (last === undefined || last.decision !== decision || last.row === NOT_KEPT) return undefined;
      const { number } = rows.alikeAt(last.row) as Alike;
      return { memory: memoryOf(last.asked), number };
    },
    sent(decision) {
      if (last?.decision === decision && last.row !== NOT_KEPT) rows.noteSent(last.row, decision);
    },
    explained(decision, sight, client) {
      return withScope(decision, widest(decision, client, sight).prefixLength);
    },
    take(next) {
      const isNew = situation?.inventory !== next.inventory;
      situation = next;
      if (!isNew) return;
      memories.clear();
      memoriesOverIpv4.clear();
      rows.beginNumbers();
      lineages.keepOnly(new Set(next.inventory.services.flatMap(sightNames)));
      last = undefined;
    },
    forget,
    begin() {
      forget();
      begin();
    },
  };
}

/** What was decided last, and where it is kept. */
interface Last {
  readonly decision: Decision;
  readonly row: number;
  readonly asked: { readonly service: Service; readonly needsIpv4: boolean };
}
