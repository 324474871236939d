import type { Decision } from "../model/decision.ts";
import type { World } from "../model/world.ts";
import { barrierKm, usedShare } from "./live.ts";

/** What decisions have in common that name the same edges in the same state, for as long. */
export class Alike {
  /** 1 or more; never given to others. */
  readonly number: number;
  /** One of them. */
  readonly decision: Decision;
  /** Counts one more of them: as `DecisionCounts.alike`. */
  readonly count: (numbers: Float32Array, at: number) => void;
  /** The index of the first edge, -1: none is named. */
  readonly first: number;
  readonly #margin: number;
  readonly #named: readonly number[];
  #world: World | undefined;
  /** Of the edges named, those that who is sent to them fills up. */
  #moving: readonly number[] = [];
  #areOthersAtRest = false;

  constructor(number: number, decision: Decision, count: Alike["count"]) {
    const { edges, service, answers = service.dns.answers } = decision;
    this.number = number;
    this.decision = decision;
    this.count = count;
    this.first = edges[0]?.edge.index ?? -1;
    this.#margin = service.margin;
    this.#named = edges.slice(0, answers).map(({ edge }) => edge.index);
  }

  /**
   * Whether no edge that is named grows dearer by whom is sent to it. Others only do, as long as the world stays: the
   * decision would be made again.
   */
  isAtRest(world: World): boolean {
    if (world !== this.#world) this.#look(world);
    if (!this.#areOthersAtRest) return false;
    for (let i = 0; i < this.#moving.length; i++)
      if (isFillingUp(world, this.#moving[i] as number, this.#margin)) return false;
    return true;
  }

  #look(world: World): void {
    this.#world = world;
    const isMoving = (edge: number): boolean =>
      world.perViewer[edge] !== 0 && !Number.isNaN(world.loadRatio[edge]);
    this.#moving = this.#named.filter(isMoving);
    this.#areOthersAtRest = this.#named.every(
      (edge) => isMoving(edge) || !isFillingUp(world, edge, this.#margin),
    );
  }
}

function isFillingUp(world: World, edge: number, margin: number): boolean {
  return barrierKm(usedShare(world, edge, margin)) > 0;
}

/** All that an answer, and what is counted of it, depends on, apart from the place and the scope. */
export function likenessOf(decision: Decision): string {
  const { service, outcome, edges, answers, ttlSeconds, rejected, families } = decision;
  const reason = outcome.kind === "refused" ? outcome.reason : "";
  const named = edges
    .map(({ edge, up, downAddresses = 0 }) => `${edge.index}/${up}/${downAddresses}`)
    .join(" ");
  const left = Array.from(rejected).join(" ");
  return [service.index, outcome.kind, reason, named, answers, ttlSeconds, families, left].join("|");
}
