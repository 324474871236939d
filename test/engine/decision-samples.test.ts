import { expect, it } from "vitest";
import { createBroadcast } from "../../src/base/broadcast.ts";
import { sampled, watchDecisions } from "../../src/engine/decision-samples.ts";
import type { OpsEvent } from "../../src/ops/api.ts";
import { createRedirector } from "../../src/engine/redirector.ts";
import { plainInventory } from "../inventory.ts";
import { clientOf, LONDON, serviceOf, THREE_EDGES, worldOf } from "../selection/fixture.ts";

const service = serviceOf(THREE_EDGES, { hostnames: ["live.example.net"] });

function watching() {
  const events = createBroadcast<OpsEvent>();
  const watch = watchDecisions(events);
  const redirector = createRedirector(() => LONDON);
  redirector.take(plainInventory({ edges: THREE_EDGES, services: [service] }), worldOf(THREE_EDGES));
  let nowMs = 0;
  const decide = sampled(redirector.decide, watch, () => nowMs);
  const ask = (door: "dns" | "http", hostname = "live.example.net") =>
    decide({ hostname, client: clientOf("203.0.113.9") }, door);
  return { watch, ask, pass: (ms: number) => (nowMs += ms) };
}

it("tells operators who watch of one decision in a tenth of a second, without the viewer's address", () => {
  const { watch, ask, pass } = watching();
  const heard: OpsEvent[] = [];
  const stop = watch.subscribe((event) => heard.push(event));
  for (let i = 0; i < 5; i++) ask("http");
  pass(100);
  ask("dns");
  expect(heard).toEqual([
    {
      kind: "decision",
      atMs: expect.any(Number) as number,
      decision: {
        door: "http",
        service: service.id,
        outcome: "edges",
        edges: ["ams1", "nyc1", "sin1"],
        country: "GB",
        distanceKm: expect.closeTo(358, -1) as number,
      },
    },
    // No more than an answer names.
    expect.objectContaining({
      decision: expect.objectContaining({ door: "dns", edges: ["ams1", "nyc1"] }) as object,
    }),
  ]);
  stop();
  pass(100);
  ask("http");
  expect(heard).toHaveLength(2);
});

it("makes no sample while nobody watches, nor of a hostname of nobody", () => {
  const { watch, ask, pass } = watching();
  expect(ask("http")?.edges[0]?.edge.id).toBe("ams1");
  expect(watch.watched[0]).toBe(0);
  const heard: OpsEvent[] = [];
  const stops = [watch.subscribe((event) => heard.push(event)), watch.subscribe(() => {})];
  expect(ask("http", "no.example.net")).toBeUndefined();
  expect(heard).toEqual([]);
  stops[1]?.();
  pass(100);
  ask("http");
  expect(heard).toHaveLength(1);
});
