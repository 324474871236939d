import { expect, it } from "vitest";
import { joinArrivals, unpackArrivals } from "../src/arrivals.ts";
import type { Location } from "../src/model/location.ts";
import { type Arrivals, createLedger, newSentCounts, type PackedArrivals } from "../src/pricing/ledger.ts";

const PARIS: Location = { layer: "city", latitude: 48.5, longitude: 2.25 };
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
  new Map([[LIMA, new Map([[0, { http: 7, dns: 0 }]])]]),
];

function packed(arrivals: Arrivals): PackedArrivals {
  const ledger = createLedger(newSentCounts(10), arrivals.length);
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
  expect(flat(unpackArrivals(packed(OURS)))).toEqual(flat(OURS));
  expect(unpackArrivals(packed([]))).toEqual([]);
});

it("decisions for one square degree are at the mean of their places", () => {
  const ledger = createLedger(newSentCounts(2), 1);
  ledger.count("dns", 0, 1, { layer: "city", latitude: 10.25, longitude: -3.75 });
  ledger.count("http", 0, 1, { layer: "city", latitude: 10.75, longitude: -3.25 });
  expect([...ledger.takePacked()]).toEqual([0, 10.5, -3.5, 1, 1, 1, 0]);
});

it("arrivals of several threads are all there when joined, the same places too", () => {
  const theirs = unpackArrivals(packed(OURS));
  const fewer: Arrivals = [new Map([[LIMA, new Map([[9, { http: 1, dns: 1 }]])]])];
  expect(flat(joinArrivals([OURS, theirs, fewer]))).toEqual(
    [...flat(OURS), ...flat(OURS), ...flat(fewer)].toSorted(),
  );
  expect(joinArrivals([])).toEqual([]);
});
