import { expect, it } from "vitest";
import { joinArrivals, unpackArrivals } from "../../src/pricing/arrivals.ts";
import type { Location } from "../../src/model/location.ts";
import {
  type Arrivals,
  type Arrived,
  Ledger,
  newSentCounts,
  type PackedArrivals,
} from "../../src/pricing/ledger.ts";

const PARIS: Location = { layer: "city", latitude: 48.5, longitude: 2.25 };
const NOWHERE: Location = { layer: "none" };
const LIMA: Location = { layer: "country", latitude: -12, longitude: -77 };

/** Every number there is, whoever holds it. */
function flat(arrivals: Arrivals): string[] {
  return arrivals
    .flatMap((byPlace, pool) =>
      [...byPlace].flatMap(([{ latitude, longitude }, byEdge]) =>
        [...byEdge].map(([edge, { http, dns, subnets }]) =>
          [pool, latitude, longitude, edge, http, dns, subnets ?? 0].join(),
        ),
      ),
    )
    .toSorted();
}

const OURS: Arrivals = [
  new Map([
    [
      PARIS,
      new Map([
        [3, { http: 1, dns: 2, subnets: 1 }],
        [4, { http: 0, dns: 5 }],
      ]),
    ],
  ]),
  new Map(),
  new Map([
    [LIMA, new Map([[0, { http: 7, dns: 0 }]])],
    [NOWHERE, new Map([[1, { http: 2, dns: 3, subnets: 1 }]])],
  ]),
];

function packed(arrivals: Arrivals): PackedArrivals {
  const ledger = new Ledger(newSentCounts(10), arrivals.length);
  for (const [pool, byPlace] of arrivals.entries())
    for (const [place, byEdge] of byPlace)
      for (const [edge, { http, dns, subnets = 0 }] of byEdge) {
        for (let i = 0; i < http; i++) ledger.count("http", pool, edge, place);
        for (let i = 0; i < dns; i++)
          ledger.count("dns", pool, edge, place, i < subnets ? "client-subnet" : "source");
      }
  const numbers = ledger.takePacked();
  expect(ledger.takePacked()).toHaveLength(0); // handed over once
  return numbers;
}

it("arrivals come out of their package as they were counted", () => {
  expect([...unpackArrivals(packed(OURS))].flatMap(flat).toSorted()).toEqual(flat(OURS));
  expect([...unpackArrivals(packed([]))]).toEqual([]);
});

it("arrivals from everywhere come in portions", () => {
  const places = Array.from({ length: 1700 }, (_, i): [Location, Map<number, Arrived>] => [
    { layer: "city", latitude: (i % 170) - 85, longitude: Math.floor(i / 170) },
    new Map([[0, { http: 1, dns: 0 }]]),
  ]);
  const portions = [...unpackArrivals(packed([new Map(places)]))];
  expect(portions.length).toBeGreaterThan(3);
  expect(portions.flatMap(flat)).toHaveLength(1700);
  for (const portion of portions) expect(flat(portion).length).toBeLessThanOrEqual(500);
});

it("decisions for one square degree are at the mean of their places", () => {
  const ledger = new Ledger(newSentCounts(2), 1);
  ledger.count("dns", 0, 1, { layer: "city", latitude: 10.25, longitude: -3.75 });
  ledger.count("http", 0, 1, { layer: "city", latitude: 10.75, longitude: -3.25 });
  expect([...ledger.takePacked()]).toEqual([0, 10.5, -3.5, 1, 1, 1, 0, 0]);
});

it("arrivals of several threads are all there when joined, the same places too", () => {
  const theirs = joinArrivals([...unpackArrivals(packed(OURS))]);
  const fewer: Arrivals = [new Map([[LIMA, new Map([[9, { http: 1, dns: 1 }]])]])];
  expect(flat(joinArrivals([OURS, theirs, fewer]))).toEqual(
    [...flat(OURS), ...flat(OURS), ...flat(fewer)].toSorted(),
  );
  expect(joinArrivals([])).toEqual([]);
});
