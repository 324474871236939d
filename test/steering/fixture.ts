import { createSteering, type SteeringOptions } from "../../src/steering/steering.ts";
import {
  type Decision,
  type Question,
  REJECTION_REASONS,
  type RejectionReason,
} from "../../src/model/decision.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { Service } from "../../src/model/service.ts";
import { clientOf, edgeAt, serviceOf } from "../selection/fixture.ts";
import { choiceOf, decisionOf } from "../http/fixture.ts";

export const ADDRESS = "https://live.example.net/.edgeward/steering";

export const EDGES = [edgeAt("ams1", 0, 52, 5), edgeAt("sin1", 1, 1, 104), edgeAt("nyc1", 2, 41, -74)];

/** What the engine says: edges best first, and those left out. */
export interface Said extends Partial<Pick<Decision, "outcome">> {
  readonly edges?: readonly Edge[];
  readonly rejected?: readonly (readonly [Edge, RejectionReason])[];
}

/** A service whose engine says what a test wants. */
export function steered(
  said: Said | "fails" | "unknown",
  rules: Partial<Service> = {},
  options: Partial<SteeringOptions> = {},
) {
  const edges = options.edges?.() ?? EDGES;
  const service = serviceOf(edges, rules);
  const questions: Question[] = [];
  const seen: (readonly [string | undefined, number])[] = [];
  const logged: string[] = [];
  const log = {
    info: () => {},
    warn: () => {},
    error: (_: object, message: string) => void logged.push(message),
  };
  const steer = createSteering({
    decide(question) {
      questions.push(question);
      if (said === "fails") throw new Error("a fault");
      if (said === "unknown") return undefined;
      const { edges: chosen = [], outcome = { kind: "edges" }, rejected: left = [] } = said;
      const rejected = REJECTION_REASONS.map((reason) => left.filter(([, why]) => why === reason).length);
      const choices = chosen.slice(0, question.most).map((edge) => choiceOf(edge, 1));
      return decisionOf([], { service, outcome, edges: choices, rejected });
    },
    edges: () => edges,
    draining: { seen: (...saw) => void seen.push(saw), isToLeave: () => true, isHasty: () => false },
    log,
    random: () => 0.5,
    ...options,
  });
  const ask = (query = "", path?: string): Manifest | undefined => {
    const call = {
      service,
      hostname: "live.example.net",
      client: clientOf("192.0.2.1"),
      query,
      address: ADDRESS,
    };
    const body = steer(path === undefined ? call : { ...call, path });
    return body === undefined ? undefined : (JSON.parse(body) as Manifest);
  };
  return { ask, questions, seen, logged };
}

export interface Manifest {
  readonly VERSION: number;
  readonly TTL: number;
  readonly "RELOAD-URI": string;
  readonly "PATHWAY-PRIORITY": string[];
  readonly "PATHWAY-CLONES"?: {
    readonly "BASE-ID": string;
    readonly ID: string;
    readonly "URI-REPLACEMENT": { readonly HOST: string };
  }[];
}
