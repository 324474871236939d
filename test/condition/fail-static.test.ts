import { beforeEach, describe, expect, it } from "vitest";
import { createFailStatic, type FailStatic } from "../../src/condition/fail-static.ts";
import type { Health } from "../../src/model/condition.ts";
import type { Inventory } from "../../src/model/inventory.ts";
import { createFakeClock, type FakeClock } from "../base/fake-clock.ts";
import { inventoryOf } from "../config/support.ts";

const HOLD_MS = 30_000;
const ids = ["a", "b", "c", "d"];

async function inventory(more = ""): Promise<Inventory> {
  const edges = ids.map(
    (id, i) => `  ${id}: { location: { latitude: 1, longitude: ${i} }, addresses: [192.0.2.${i + 1}] }`,
  );
  return inventoryOf(`
listen: { http: ["127.0.0.1:8080"] }
zones: { example.net: { nameservers: [ns.example.org], contact: a@example.net } }
defaults: { probe: { type: tcp, port: 80 } }
edges:
${edges.join("\n")}
services:
  live: { hostnames: [live.example.net]${more} }
  pinned: { hostnames: [pinned.example.net], edges: { ids: [a] } }
`);
}

describe("fail static", () => {
  let clock: FakeClock;
  let failStatic: FailStatic;
  let inactive: Set<string>;
  let changes: number;
  let errors: string[];

  beforeEach(async () => {
    clock = createFakeClock();
    inactive = new Set();
    changes = 0;
    errors = [];
    failStatic = createFailStatic({
      clock,
      isActive: (id) => !inactive.has(id),
      onChange: () => void changes++,
      log: { info: () => {}, warn: () => {}, error: (_, message) => void errors.push(message) },
    });
    failStatic.take(await inventory());
  });

  const all = (health: Health, reason?: string, some = ids): void => {
    for (const id of some)
      failStatic.health(id, { family: 4, health, ...(reason === undefined ? {} : { reason }) });
  };
  const keptIds = (): string[] => [...new Set(failStatic.kept().map(({ edgeId }) => edgeId))];
  const metric = (name: string): Record<string, number> => {
    const family = failStatic.metrics().find((each) => each.name === name);
    if (family === undefined || family.kind === "histogram") throw new Error(`no ${name}`);
    return Object.fromEntries(
      family.samples.map(({ labels, value }) => [Object.values(labels).join(), value]),
    );
  };

  it("believes the first round after a start", () => {
    all("down", "timeout");
    expect(keptIds()).toEqual([]);
    expect(failStatic.alarms()).toEqual([]);
  });

  it("keeps the last good state from the first loss on when many fail at once", async () => {
    all("up");
    await clock.advance(10_000);
    all("up", "timeout");
    await clock.advance(2000);
    for (const [i, id] of ids.entries()) {
      failStatic.health(id, { family: 4, health: "down", reason: "timeout" });
      expect(keptIds(), "nobody is ever seen to be down").toEqual(ids.slice(0, i + 1));
    }
    expect(failStatic.alarms()).toMatchObject([{ service: "live", family: 4, edges: ids }]);
    expect(errors).toHaveLength(1);
    expect(metric("service_fail_static")).toEqual({ live: 1, pinned: 0 });
    expect(metric("service_fail_static_begun_total")).toEqual({ live: 1 });
  });

  it("takes those back who went down before the threshold was passed", async () => {
    all("up");
    failStatic.health("a", { family: 4, health: "down", reason: "timeout" });
    failStatic.health("b", { family: 4, health: "down", reason: "timeout" });
    expect(keptIds()).toEqual([]);
    await clock.advance(1000);
    failStatic.health("c", { family: 4, health: "down", reason: "timeout" });
    expect(keptIds()).toEqual(["a", "b", "c"]);
  });

  it("believes one edge's death at once, and that of a service's only edge", () => {
    all("up");
    failStatic.health("a", { family: 4, health: "down", reason: "timeout" });
    expect(keptIds()).toEqual([]);
    expect(changes).toBe(0);
  });

  it("believes an outage that outlasts the hold, and does not panic about it again", async () => {
    all("up");
    all("down", "timeout", ["a", "b", "c"]);
    await clock.advance(HOLD_MS - 1);
    expect(keptIds()).toEqual(["a", "b", "c"]);
    await clock.advance(2);
    expect(keptIds()).toEqual([]);
    expect(failStatic.alarms()).toEqual([]);
    await clock.advance(1000);
    failStatic.health("a", { family: 4, health: "down", reason: "refused" });
    expect(keptIds()).toEqual([]);
    expect(metric("service_fail_static_begun_total")).toEqual({ live: 1 });
  });

  it("ends with the probes' recovery, and then believes whoever is still lost", async () => {
    all("up");
    all("down", "timeout");
    await clock.advance(4000);
    all("up", undefined, ["a", "b", "c"]);
    expect(keptIds()).toEqual([]);
    expect(failStatic.alarms()).toEqual([]);
  });

  it("lasts as long as the canary is silent", async () => {
    all("up");
    all("down", "timeout");
    expect(failStatic.alarms().some(({ isCanarySilent }) => isCanarySilent)).toBe(false);
    failStatic.canary(false);
    expect(metric("canary_up")).toEqual({ "": 0 });
    expect(failStatic.alarms()).toContainEqual(
      expect.objectContaining({ service: "live", isCanarySilent: true }),
    );
    await clock.advance(10 * HOLD_MS);
    expect(keptIds()).toEqual(ids);
    failStatic.canary(true);
    await clock.advance(HOLD_MS - 1);
    expect(keptIds()).toEqual(ids);
    await clock.advance(2);
    expect(keptIds()).toEqual([]);
  });

  it("keeps losses that come one by one while nothing answers, the canary neither", async () => {
    failStatic.take(await inventory(", panicThreshold: 100%"));
    all("up");
    await clock.advance(5000);
    for (const id of ids) {
      await clock.advance(2000);
      failStatic.health(id, { family: 4, health: "down", reason: "timeout" });
    }
    expect(keptIds()).toEqual([]);
    failStatic.canary(false);
    expect(keptIds(), "those lost less than a round before the canary").toEqual(["c", "d"]);
    failStatic.canary(true);
    await clock.advance(HOLD_MS + 1);
    expect(keptIds()).toEqual([]);
  });

  it("takes no last word of an edge that has gone with a reload", async () => {
    failStatic.take(await inventory(", panicThreshold: 100%"));
    all("up");
    failStatic.health("gone", { family: 4, health: "up" });
    all("down", "timeout");
    failStatic.canary(false);
    expect(keptIds(), "nobody answers").toEqual(ids);
  });

  it("does not count who is out of service by an operator's word", async () => {
    all("up");
    inactive = new Set(["a", "b", "c"]);
    all("down", "timeout", ["a", "b", "c"]);
    expect(keptIds()).toEqual([]);
    inactive = new Set();
  });

  it("lets an operator end it: by a drain, or a threshold", async () => {
    all("up");
    all("down", "timeout", ["a", "b", "c"]);
    inactive = new Set(["a"]);
    failStatic.stateChanged();
    expect(keptIds()).toEqual(["b", "c"]);
    failStatic.take(await inventory(", panicThreshold: 1"));
    expect(keptIds()).toEqual([]);
  });

  it("forgets a service that is gone", async () => {
    all("up");
    all("down", "timeout");
    const before = await inventory();
    failStatic.take({ ...before, services: before.services.slice(1) });
    expect(keptIds()).toEqual([]);
    await clock.advance(HOLD_MS);
    expect(failStatic.alarms()).toEqual([]);
  });
});
