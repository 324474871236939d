import type { Answers } from "./answers.ts";
import type { Demand } from "./demand.ts";
import type { Learned } from "./learned.ts";
import { poolName } from "./pools.ts";
import type { Prices } from "./prices.ts";
import type { Setting } from "./settings.ts";
import type { Stays } from "./stays.ts";

interface Learners {
  readonly answers: Answers;
  readonly demand: Demand;
  readonly prices: Prices;
  readonly stays: Stays;
}

/** All that was learned, for a process that goes on in this one's place. */
export function memoryOf(
  { edges, slots, pools }: Setting,
  { answers, demand, prices, stays }: Learners,
): Learned {
  const ids = edges.map(({ id }) => id);
  const bySlot = new Map(ids.map((id, edge) => [slots[edge] as number, id]));
  const priced = edges.filter(({ index }) => (prices.km[index] as number) > 0);
  return {
    stays: stays.memory(),
    pricesKm: Object.fromEntries(priced.map(({ id, index }) => [id, prices.km[index] as number])),
    pools: Object.fromEntries(
      pools.map((pool, i) => [
        poolName(pool, ids),
        { askers: answers.memory(i), cells: demand.memory(i, (slot) => bySlot.get(slot)) },
      ]),
    ),
  };
}

/** That from another one, where it is of edges and pools that are here too. */
export function rememberIn(
  learned: Learned,
  { edges, slots, pools }: Setting,
  { answers, demand, prices, stays }: Learners,
): void {
  const ids = edges.map(({ id }) => id);
  const slotOf = new Map(ids.map((id, edge) => [id, slots[edge] as number]));
  stays.remember(learned.stays);
  prices.remember(Float64Array.from(ids, (id) => learned.pricesKm[id] ?? 0));
  for (const [i, pool] of pools.entries()) {
    const { askers = [], cells = [] } = learned.pools[poolName(pool, ids)] ?? {};
    answers.remember(i, askers);
    demand.remember(i, cells, (id) => slotOf.get(id));
  }
}
