import { expect, it } from "vitest";
import { type Arrivals, Ledger, newSentCounts } from "../../src/pricing/ledger.ts";
import { createCrewArrivals } from "../../src/threads/crew-arrivals.ts";

/** As a thread tells of so many HTTP decisions. */
function packedOf(decisions: number) {
  const ledger = new Ledger(newSentCounts(1), 1);
  for (let i = 0; i < decisions; i++)
    ledger.count("http", 0, 0, { layer: "city", latitude: 52, longitude: 4 });
  return ledger.takePacked();
}

function decisionsIn(arrivals: Iterable<Arrivals>): number[] {
  const places = [...arrivals].flatMap((pools) => pools.flatMap((pool) => [...pool.values()]));
  return places.flatMap((byEdge) => [...byEdge.values()].map(({ http }) => http));
}

it("has what all threads told since it was last asked", () => {
  const arrivals = createCrewArrivals(1);
  arrivals.add(1, packedOf(3));
  arrivals.add(1, packedOf(5));
  expect(decisionsIn(arrivals.take())).toEqual([3, 5]);
  expect(decisionsIn(arrivals.take())).toEqual([]);
});

it("has none that were made by an inventory that is not in use", () => {
  const arrivals = createCrewArrivals(1);
  arrivals.add(1, packedOf(3));
  arrivals.begin(2);
  arrivals.add(1, packedOf(4));
  expect(decisionsIn(arrivals.take())).toEqual([]);
  arrivals.add(2, packedOf(5));
  expect(decisionsIn(arrivals.take())).toEqual([5]);
});
