import { expect, it } from "vitest";
import type { Location } from "../../src/model/location.ts";
import { Ledger, newSentCounts } from "../../src/pricing/ledger.ts";

function at(latitude: number, longitude: number): Location {
  return { layer: "city", latitude, longitude };
}

it("counts every decision in shared memory, by door", () => {
  const sent = newSentCounts(3);
  const ledger = new Ledger(sent, 1);
  for (let i = 0; i < 5; i++) ledger.count("dns", 0, 2, { layer: "none" });
  ledger.count("http", 0, 1, at(1, 1));
  expect([...sent]).toEqual([0, 1, 0, 0, 0, 5]);
});

it("tells answers for a client's subnet from those for a resolver", () => {
  const ledger = new Ledger(newSentCounts(3), 1);
  ledger.count("dns", 0, 1, at(48.2, 2.2), "source");
  ledger.count("dns", 0, 1, at(48.2, 2.2), "client-subnet");
  ledger.countAt("dns", 0, 1, Float32Array.of(48.5, 2.5), 0, "client-subnet");
  ledger.count("http", 0, 1, at(48.2, 2.2), "source");
  const [place] = ledger.takeArrivals();
  expect([...(place?.values() ?? [])]).toEqual([new Map([[1, { http: 1, dns: 3, subnets: 2 }]])]);
});

it("hands over by how much answers are kept shorter than usual", () => {
  const ledger = new Ledger(newSentCounts(3), 1);
  ledger.count("dns", 0, 1, at(48.2, 2.2), "source", 15);
  ledger.countAt("dns", 0, 1, Float32Array.of(48.5, 2.5), 0, "source", 15);
  ledger.count("dns", 0, 1, at(48.2, 2.2), "source");
  const [place] = ledger.takeArrivals();
  expect([...(place?.values() ?? [])]).toEqual([new Map([[1, { http: 0, dns: 3, shortSeconds: 30 }]])]);
});

it("hands over decisions by pool, square degree and edge, once", () => {
  const ledger = new Ledger(newSentCounts(3), 2);
  ledger.count("dns", 0, 1, at(48.2, 2.2));
  ledger.count("dns", 0, 1, at(48.4, 2.6));
  ledger.count("http", 0, 2, at(48.6, 2.1));
  ledger.count("dns", 0, 1, at(-0.5, -0.5));
  ledger.count("dns", 1, 1, at(48.2, 2.2));
  ledger.count("dns", 0, 0, { layer: "none" });
  const [first, second] = ledger.takeArrivals();
  const rows = [...(first ?? [])].map(([{ latitude, longitude }, byEdge]) => [
    latitude?.toFixed(2),
    longitude?.toFixed(2),
    ...byEdge,
  ]);
  expect(rows).toEqual([
    ["48.40", "2.30", [1, { http: 0, dns: 2 }], [2, { http: 1, dns: 0 }]],
    ["-0.50", "-0.50", [1, { http: 0, dns: 1 }]],
    [undefined, undefined, [0, { http: 0, dns: 1 }]],
  ]);
  expect([...(second ?? [])].map(([, byEdge]) => [...byEdge])).toEqual([[[1, { http: 0, dns: 1 }]]]);

  expect(ledger.takeArrivals().map((byPlace) => byPlace.size)).toEqual([0, 0]);
  ledger.count("dns", 0, 1, at(48.9, 2.9));
  expect(first?.size).toBe(3); // what was handed over does not change
  expect([...(ledger.takeArrivals()[0] ?? [])]).toEqual([
    [{ layer: "none", latitude: 48.9, longitude: 2.9 }, new Map([[1, { http: 0, dns: 1 }]])],
  ]);
});
