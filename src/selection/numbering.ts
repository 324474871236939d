import type { Decision } from "../model/decision.ts";
import { Alike, likenessOf } from "./alike.ts";
import { ChoiceTable, type PlaceChoice } from "./choice-table.ts";

/** Whom decisions are alike to: each by his position, as long as no new beginning is made. */
export interface Numbering {
  /** Whether there is hardly a position left. */
  readonly isFull: boolean;
  /** @param newCount of decisions like this one: as `DecisionCounts.alike` */
  positionOf(decision: Decision, newCount: () => Alike["count"]): number;
  /** For a decision that goes by place: what is chosen so somewhere else is alike to it. */
  remember(choice: PlaceChoice, position: number): void;
  /** -1: nothing like that was decided yet. */
  positionFor(choice: PlaceChoice): number;
  at(position: number): Alike | undefined;
  /** Positions so far stand for nothing any more; numbers are given to nobody else. */
  begin(): void;
}

export function createNumbering(): Numbering {
  let given = 0;
  let all: Alike[] = [];
  const byLikeness = new Map<string, number>();
  const byChoice = new ChoiceTable();
  return {
    get isFull() {
      return all.length >= MOST_ALIKE;
    },
    positionOf(decision, newCount) {
      const likeness = likenessOf(decision);
      const known = byLikeness.get(likeness);
      if (known !== undefined) return known;
      byLikeness.set(likeness, all.length);
      return all.push(new Alike(++given, decision, newCount())) - 1;
    },
    remember: (choice, position) => byChoice.put(choice, position),
    positionFor: (choice) => byChoice.find(choice),
    at: (position) => all[position],
    begin() {
      all = [];
      byLikeness.clear();
      byChoice.clear();
    },
  };
}

/** Different answers of one inventory; a position has 16 bits. */
const MOST_ALIKE = 20_000;
