import { unpackArrivals } from "../pricing/arrivals.ts";
import type { Arrivals, PackedArrivals } from "../pricing/ledger.ts";

/** Where the decisions of a crew's threads were made for, as they told it, until somebody takes that. */
export interface CrewArrivals {
  /** Of decisions by an inventory of this generation: by another than the one in use, they are dropped. */
  readonly add: (generation: number, packed: PackedArrivals) => void;
  /** An inventory of this generation is in use from now on. */
  begin(generation: number): void;
  /** What was added since the last call, in portions. */
  readonly take: () => Iterable<Arrivals>;
}

export function createCrewArrivals(first: number): CrewArrivals {
  let inUse = first;
  let added: PackedArrivals[] = [];
  return {
    add(generation, packed) {
      if (generation === inUse) added.push(packed);
    },
    begin(generation) {
      inUse = generation;
      added = [];
    },
    *take() {
      const taken = added;
      added = [];
      for (const packed of taken) yield* unpackArrivals(packed);
    },
  };
}
