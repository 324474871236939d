import type { Arrivals } from "./ledger.ts";
import { askersKey, squareKey } from "./squares.ts";

/** DNS answers by edge and askers (`askersKey`). */
export function answersOf(arrivals: Arrivals): Map<number, Map<number, number>> {
  const byEdge = new Map<number, Map<number, number>>();
  for (const [pool, byPlace] of arrivals.entries())
    for (const [{ latitude = Number.NaN, longitude = Number.NaN }, arrived] of byPlace) {
      const square = squareKey(pool, latitude, longitude);
      const add = (edge: number, nameSubnets: boolean, answers: number): void => {
        const key = askersKey(square, nameSubnets);
        const ofEdge = byEdge.get(edge) ?? new Map<number, number>();
        byEdge.set(edge, ofEdge.set(key, (ofEdge.get(key) ?? 0) + answers));
      };
      for (const [edge, { dns, subnets = 0 }] of arrived) {
        add(edge, false, dns - subnets);
        add(edge, true, subnets);
      }
    }
  return byEdge;
}
