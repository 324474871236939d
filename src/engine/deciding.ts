import type { Decision, DoorName, Question, Trace } from "../model/decision.ts";
import type { Edge } from "../model/edge.ts";
import type { Service } from "../model/service.ts";
import { unreachableAt } from "../selection/at-door.ts";
import { isReachedByIpv4 } from "../selection/over-ipv4.ts";
import type { Sight } from "../selection/sights.ts";
import type { Chooser } from "./choose.ts";
import type { Foresight } from "./foresight.ts";
import type { InService } from "./in-service.ts";
import type { KeptDecisions } from "./kept-decisions.ts";

/** Which decision a door is given: one of the client's own, or one that is kept for its whole network. */
export interface Deciding {
  /** What of the service the door can name; the trace is told of edges that it cannot. */
  readonly sightAt: (
    door: DoorName | undefined,
    configured: Service,
    question: Question,
    trace?: Trace,
  ) => Sight;
  /** Neither counted nor noted as load. @param sight as of `sightAt` */
  readonly decide: (
    question: Question,
    door: DoorName,
    configured: Service,
    sight: Sight,
    trace?: Trace,
  ) => Decision;
}

export interface DecidingParts {
  /** What is in service, while anything is decided. */
  readonly now: () => InService;
  readonly chooser: Chooser;
  readonly kept: Pick<KeptDecisions, "decide">;
  readonly returningTo: Foresight["returningTo"];
}

export function createDeciding({ now, chooser, kept, returningTo }: DecidingParts): Deciding {
  const { located, choose } = chooser;

  const returningFor = (service: Service, question: Question): number => {
    const { returning } = now().world;
    if (returning === undefined || returning.size === 0) return 0;
    const { latitude, longitude } = located(question).location;
    return returningTo(service, question.client, latitude, longitude);
  };

  const decideOwn: Deciding["decide"] = (question, door, configured, sight, trace) => {
    const { service } = sight;
    const brings = door === "dns" ? returningFor(service, question) : 0;
    if (brings > 0) return choose(sight, question, question.most ?? service.dns.answers, trace, brings);
    const isForNetwork =
      door === "dns" &&
      question.most === undefined &&
      trace === undefined &&
      !movesWithLoad(service) &&
      !now().isPlaceless(question.client);
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
    const { sights } = now();
    const sight = sights.of(configured, door, true);
    if (sights.of(configured, door) === sight) return decision;
    if (!sight.isOnTheMove && isReachedByIpv4(decision)) return decision;
    const forIpv4 = decideOwn({ ...question, needsIpv4: true }, door, configured, sight);
    return {
      ...decision,
      scopePrefixLength: Math.max(decision.scopePrefixLength, forIpv4.scopePrefixLength),
      ttlSeconds: Math.min(decision.ttlSeconds, forIpv4.ttlSeconds),
      forIpv4,
    };
  };

  return {
    sightAt(door, configured, { needsIpv4 }, trace) {
      const { sights, atDoor, field } = now();
      if (trace !== undefined && door !== undefined && atDoor(configured, door, false) !== configured)
        tellUnreachable(configured, field.edges, door, trace);
      return sights.of(configured, door, needsIpv4);
    },
    decide(question, door, configured, sight, trace) {
      const own = decideOwn(question, door, configured, sight, trace);
      return question.alsoForIpv4 === true ? besideIpv4(own, question, door, configured) : own;
    },
  };
}

function tellUnreachable(service: Service, edges: readonly Edge[], door: DoorName, trace: Trace): void {
  for (const index of service.edges) {
    const edge = edges[index] as Edge;
    const reason = unreachableAt(service, edge, door);
    if (reason !== undefined) trace.reject(edge, reason, Number.NaN);
  }
}

/** By affinity at the DNS door: a stream widens, a viewer's edge fills up, while the world stays. */
export function movesWithLoad({ affinity, hostnames }: Service): boolean {
  if (affinity === "viewer") return true;
  return affinity === "stream" && hostnames.some((hostname) => hostname.startsWith("*."));
}
