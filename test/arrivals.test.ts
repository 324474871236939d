import { expect, it } from "vitest";
import { joinArrivals, packArrivals, unpackArrivals } from "../src/arrivals.ts";
import type { Location } from "../src/model/location.ts";
import type { Arrivals } from "../src/pricing/ledger.ts";

const PARIS: Location = { layer: "city", latitude: 48.9, longitude: 2.4 };
const LIMA: Location = { layer: "country", latitude: -12, longitude: -77 };

/** Every number there is, whoever holds it. */
function flat(arrivals: Arrivals): string[] {
  return arrivals
    .flatMap((byPlace, pool) =>
      [...byPlace].flatMap(([{ latitude, longitude }, byEdge]) =>
        [...byEdge].map(([edge, { http, dns }]) => [pool, latitude, longitude, edge, http, dns].join()),
      ),
    )
    .toSorted();
}

const OURS: Arrivals = [
  new Map([
    [
      PARIS,
      new Map([
        [3, { http: 1, dns: 2 }],
        [4, { http: 0, dns: 5 }],
      ]),
    ],
  ]),
  new Map(),
  new Map([[LIMA, new Map([[0, { http: 7, dns: 0 }]])]]),
];

it("arrivals come out of their package as they went in", () => {
  expect(flat(unpackArrivals(packArrivals(OURS)))).toEqual(flat(OURS));
  expect(unpackArrivals(packArrivals([]))).toEqual([]);
});

it("arrivals of several threads are all there when joined, the same places too", () => {
  const theirs = unpackArrivals(packArrivals(OURS));
  const fewer: Arrivals = [new Map([[LIMA, new Map([[9, { http: 1, dns: 1 }]])]])];
  expect(flat(joinArrivals([OURS, theirs, fewer]))).toEqual(
    [...flat(OURS), ...flat(OURS), ...flat(fewer)].toSorted(),
  );
  expect(joinArrivals([])).toEqual([]);
});
