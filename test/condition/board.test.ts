import { areAsServing } from "../../src/condition/serving.ts";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Board, type BoardOptions, createBoard } from "../../src/condition/board.ts";
import type { BoardMemory } from "../../src/condition/board-memory.ts";
import type { ConditionChange } from "../../src/condition/change.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { Facts } from "../../src/model/world.ts";
import { createFakeClock, type FakeClock } from "../base/fake-clock.ts";
import { edge, inventoryOf } from "../probe/inventory.ts";

const PUSH = { type: "push", staleAfterMs: 30_000 } as const;
const JSON_LOAD = {
  type: "json",
  url: "http://127.0.0.1/",
  staleAfterMs: 5000,
  intervalMs: 1000,
  timeoutMs: 1000,
  fields: {},
} as const;

interface Set {
  readonly board: Board;
  readonly clock: FakeClock;
  readonly changes: ConditionChange[];
  readonly told: Facts[];
}

function boardWith(edges: readonly Edge[], options: Partial<BoardOptions> = {}): Set {
  const clock = createFakeClock();
  const changes: ConditionChange[] = [];
  const told: Facts[] = [];
  const board = createBoard({
    clock,
    onChange: (change) => void changes.push(change),
    onFacts: (facts) => void told.push(facts),
    ...options,
  });
  onTestFinished(() => board.stop());
  board.take(inventoryOf(edges));
  return { board, clock, changes, told };
}

const ams1 = edge("ams1", { addresses: ["127.0.0.11", "::1"], load: [PUSH], capacity: { viewers: 100 } });
const sin1 = edge("sin1", { addresses: ["127.0.0.12"], load: [PUSH, JSON_LOAD] });
const eva = { by: "eva", reason: "new disk" };

it("an edge is not full for the files that its machine keeps in memory", () => {
  const nimble = { ...JSON_LOAD, type: "nimble" } as const;
  const { board } = boardWith([
    edge("a", { load: [nimble], capacity: { viewers: 100 } }),
    edge("b", { load: [nimble], capacity: { viewers: 100, memory: 0.9 } }),
  ]);
  for (const id of ["a", "b"]) board.report(id, 0, { viewers: 10, memory: 0.99 });
  expect([...board.facts().loadRatio]).toEqual([0.1, 0.99 / 0.9]);
  expect(board.condition("a")?.load.memory).toBe(0.99);
});

describe("the facts", () => {
  it("has every edge at its index; what was not probed yet is not up", () => {
    const { board } = boardWith([ams1, sin1]);
    expect(board.facts()).toEqual({
      generation: 1,
      up: Uint8Array.of(0, 0),
      state: Uint8Array.of(0, 0),
      inDoubt: Uint8Array.of(0, 0),
      loadRatio: Float64Array.of(Number.NaN, Number.NaN),
      viewers: Float64Array.of(Number.NaN, Number.NaN),
      perViewer: Float64Array.of(0.01, 0),
      viewersAtMs: Float64Array.of(Number.NaN, Number.NaN),
      loadAtMs: Float64Array.of(Number.NaN, Number.NaN),
    });
  });

  it("says which families are up, how full, with how many, in what state", () => {
    const { board } = boardWith([ams1, sin1]);
    board.health("ams1", { family: 4, health: "up" });
    board.health("ams1", { family: 6, health: "up" });
    board.health("ams1", { family: 4, health: "down", reason: "timeout" });
    board.health("sin1", { family: 4, health: "up" });
    board.report("ams1", 0, { viewers: 90 });
    board.setState("sin1", { state: "drain", ...eva });
    const { up, state, loadRatio, viewers } = board.facts();
    expect([...up]).toEqual([2, 1]);
    expect([...state]).toEqual([0, 1]);
    expect([...loadRatio]).toEqual([0.9, Number.NaN]);
    expect([...viewers]).toEqual([90, Number.NaN]);
  });

  it("shows and tells what the reason of a failure does not say, the newest of it", () => {
    const { board, changes } = boardWith([ams1]);
    board.health("ams1", { family: 4, health: "down", reason: "status", detail: "404" });
    board.health("ams1", { family: 4, health: "down", reason: "status", detail: "502" });
    expect(board.condition("ams1")?.health[0]).toMatchObject({ reason: "status", detail: "502" });
    expect(changes).toMatchObject([{ kind: "health", to: "down", reason: "status", detail: "404" }]);
    board.health("ams1", { family: 4, health: "down", reason: "timeout" });
    expect(board.condition("ams1")?.health[0]).not.toHaveProperty("detail");
  });

  it("has the addresses that are down while their family is up, as long as the edge has the same", () => {
    const { board } = boardWith([ams1, sin1]);
    const before = board.facts();
    board.downAddresses("sin1", 0b1);
    board.downAddresses("elsewhere", 0b1);
    expect(board.facts().downAddresses).toEqual(new Map([[1, 0b1]]));
    expect(areAsServing(before, board.facts())).toBe(false);
    board.take(inventoryOf([sin1, ams1]));
    expect(board.facts().downAddresses).toEqual(new Map([[0, 0b1]]));
    board.take(inventoryOf([{ ...sin1, addresses: ams1.addresses }, ams1]));
    expect(board.facts()).not.toHaveProperty("downAddresses");
  });

  it("gives an edge without addresses the bit of IPv4", () => {
    const { board } = boardWith([edge("named", { addresses: [] })]);
    board.health("named", { family: 4, health: "up" });
    expect(board.facts().up[0]).toBe(1);
  });

  it("is replaced, never edited, and is the same while nothing changes", () => {
    const { board } = boardWith([ams1]);
    const before = board.facts();
    expect(board.facts()).toBe(before);
    board.health("ams1", { family: 4, health: "up" });
    expect(board.facts()).not.toBe(before);
    expect(before.up[0]).toBe(0);
  });

  it("is told soon after a change, one for many", async () => {
    const { board, clock, told } = boardWith([ams1, sin1]);
    board.health("ams1", { family: 4, health: "up" });
    board.health("sin1", { family: 4, health: "up" });
    await clock.advance(50);
    expect(told).toEqual([board.facts()]);
    await clock.advance(60_000);
    expect(told.length).toBe(1);
  });
});

describe("load reports", () => {
  it("are unknown again when they grow stale, without anybody asking", async () => {
    const { board, clock, changes, told } = boardWith([ams1]);
    board.report("ams1", 0, { viewers: 100 });
    await clock.advance(29_900);
    expect(board.condition("ams1")).toMatchObject({
      load: { viewers: 100 },
      loadRatio: 1,
      reportAgeMs: 29_900,
    });
    await clock.advance(500);
    expect(board.condition("ams1")).toMatchObject({ load: {}, reportAgeMs: 30_400 });
    expect(board.condition("ams1")).not.toHaveProperty("loadRatio");
    expect(told.at(-1)?.loadRatio[0]).toBeNaN();
    expect(changes).toEqual([
      { kind: "load", edgeId: "ams1", from: "unknown", to: "full", loadRatio: 1 },
      { kind: "load", edgeId: "ams1", from: "full", to: "unknown" },
    ]);
  });

  it("are judged at the moment of asking", async () => {
    const { board, clock } = boardWith([ams1]);
    board.report("ams1", 0, { viewers: 50 });
    await clock.advance(29_999);
    const before = board.facts();
    await clock.standStill(1);
    expect(before.loadRatio[0]).toBe(0.5);
    expect(board.facts().loadRatio[0]).toBeNaN();
  });

  it("keep the wall clock out of it", async () => {
    const { board, clock } = boardWith([ams1]);
    board.report("ams1", 0, { viewers: 50 });
    clock.setWall(Date.UTC(2038, 0, 20));
    await clock.advance(1000);
    expect(board.condition("ams1")).toMatchObject({ load: { viewers: 50 }, reportAgeMs: 1000 });
  });

  it("of several sources are merged, each with its own age", async () => {
    const { board, clock } = boardWith([sin1]);
    board.report("sin1", 0, { cpu: 0.5 });
    board.report("sin1", 1, { cpu: 0.9, viewers: 3 });
    expect(board.condition("sin1")?.load).toEqual({ cpu: 0.5, viewers: 3 });
    await clock.advance(5000);
    expect(board.condition("sin1")?.load).toEqual({ cpu: 0.5 });
  });

  it("of several sources tell when each quantity was measured", async () => {
    const limited = { ...sin1, capacity: { viewers: 100, bandwidth: 100 } };
    const { board, clock } = boardWith([limited]);
    const startMs = clock.monotonicMs();
    const times = (): number[] => {
      const { viewersAtMs, loadAtMs } = board.facts();
      return [(viewersAtMs[0] ?? 0) - startMs, (loadAtMs[0] ?? 0) - startMs];
    };
    board.report("sin1", 0, { viewers: 50 });
    await clock.advance(1000);
    board.report("sin1", 1, { bandwidth: 40 });
    expect(times(), "viewers bind").toEqual([0, 0]);
    board.report("sin1", 1, { bandwidth: 60 });
    expect(times(), "bandwidth binds").toEqual([0, 1000]);
    await clock.advance(1000);
    board.report("sin1", 0, { viewers: 55 });
    expect(times(), "and was measured before").toEqual([2000, 1000]);
    await clock.advance(4000);
    expect(times(), "bandwidth is stale").toEqual([2000, 2000]);
  });

  it("without viewers tell when the load was measured", async () => {
    const { board, clock } = boardWith([{ ...sin1, capacity: { bandwidth: 100 } }]);
    board.report("sin1", 0, { cpu: 0.1 });
    const startMs = clock.monotonicMs();
    await clock.advance(1000);
    board.report("sin1", 1, { bandwidth: 40 });
    await clock.advance(1000);
    board.report("sin1", 0, { cpu: 0.1 });
    const { viewersAtMs, loadAtMs } = board.facts();
    expect([viewersAtMs[0], loadAtMs[0]]).toEqual([startMs + 1000, startMs + 1000]);
  });

  it("that are pushed find the source they belong to", () => {
    const polled = edge("polled", { load: [JSON_LOAD] });
    const { board } = boardWith([sin1, polled]);
    expect(board.pushReport("sin1", { viewers: 1 })).toBe("taken");
    expect(board.condition("sin1")?.load).toEqual({ viewers: 1 });
    expect(board.pushReport("polled", { viewers: 1 })).toBe("not-pushed");
    expect(board.pushReport("nobody", { viewers: 1 })).toBe("unknown-edge");
  });
});

describe("health", () => {
  it("tells changes, and shows since when and why", async () => {
    const { board, clock, changes } = boardWith([sin1]);
    const startMs = clock.wallMs();
    board.health("sin1", { family: 4, health: "up" });
    await clock.advance(1000);
    board.health("sin1", { family: 4, health: "up", reason: "timeout" });
    board.health("sin1", { family: 4, health: "up" });
    expect(board.condition("sin1")?.health).toEqual([{ family: 4, health: "up", sinceMs: startMs }]);
    board.health("sin1", { family: 4, health: "down", reason: "refused" });
    expect(board.condition("sin1")?.health).toEqual([
      { family: 4, health: "down", reason: "refused", sinceMs: startMs + 1000 },
    ]);
    expect(changes).toEqual([
      { kind: "health", edgeId: "sin1", family: 4, from: "unknown", to: "up" },
      { kind: "health", edgeId: "sin1", family: 4, from: "up", to: "down", reason: "refused" },
    ]);
  });

  it("tells of doubt in the facts and the condition, not as a change", () => {
    const { board, changes } = boardWith([ams1, sin1]);
    board.health("sin1", { family: 4, health: "up" });
    board.health("sin1", { family: 4, health: "up", reason: "timeout", inDoubt: true });
    expect([...board.facts().inDoubt]).toEqual([0, 1]);
    expect(board.condition("sin1")?.health).toMatchObject([
      { health: "up", reason: "timeout", inDoubt: true },
    ]);
    board.health("sin1", { family: 4, health: "up", reason: "timeout" });
    expect([...board.facts().inDoubt]).toEqual([0, 0]);
    expect(board.condition("sin1")?.health[0]).not.toHaveProperty("inDoubt");
    expect(changes).toHaveLength(1);
  });

  it("ignores edges and families that are not there", () => {
    const { board, changes } = boardWith([sin1]);
    board.health("sin1", { family: 6, health: "up" });
    board.health("nobody", { family: 4, health: "up" });
    expect(changes).toEqual([]);
    expect(board.facts().up[0]).toBe(0);
  });
});

describe("a reload", () => {
  it("keeps what is known of an edge, wherever it stands now", () => {
    const { board, changes } = boardWith([ams1, sin1]);
    board.health("sin1", { family: 4, health: "up" });
    board.report("sin1", 0, { viewers: 3 });
    changes.length = 0;
    board.take(inventoryOf([sin1, edge("new"), { ...ams1, weight: 2 }], { generation: 2 }));
    const world = board.facts();
    expect(world.generation).toBe(2);
    expect([...world.up]).toEqual([1, 0, 0]);
    expect(board.condition("sin1")?.load).toEqual({ viewers: 3 });
    expect(changes).toEqual([]);
  });

  it("forgets the report of a source that is another one now, and judges the others by their new age", async () => {
    const { board, clock } = boardWith([sin1]);
    board.report("sin1", 0, { viewers: 3 });
    board.report("sin1", 1, { cpu: 0.5 });
    await clock.advance(2000);
    board.take(inventoryOf([{ ...sin1, load: [{ ...PUSH, staleAfterMs: 1000 }, JSON_LOAD] }]));
    expect(board.condition("sin1")?.load).toEqual({ cpu: 0.5 });
    board.take(inventoryOf([{ ...sin1, load: [PUSH, PUSH] }]));
    expect(board.condition("sin1")?.load).toEqual({ viewers: 3 });
  });

  it("judges the load by the new capacity at once", () => {
    const { board } = boardWith([ams1]);
    board.report("ams1", 0, { viewers: 50 });
    board.take(inventoryOf([{ ...ams1, capacity: { viewers: 50 } }]));
    expect(board.facts().loadRatio[0]).toBe(1);
  });
});

describe("an operator's word", () => {
  it("drains, shows who and why, and is taken back", () => {
    const { board, clock, changes } = boardWith([ams1]);
    const atMs = clock.wallMs();
    const origin = { kind: "operator", ...eva, atMs } as const;
    expect(board.setState("ams1", { state: "drain", ...eva })).toBe("set");
    expect(board.condition("ams1")).toMatchObject({ state: "drain", stateOrigin: origin });
    expect(board.overrides()).toEqual([
      { edgeId: "ams1", state: "drain", ...eva, atMs, fileState: "active" },
    ]);
    expect(board.setState("ams1", { state: "active", ...eva })).toBe("set");
    expect(board.condition("ams1")).toMatchObject({ state: "active", stateOrigin: { kind: "file" } });
    expect(board.overrides()).toEqual([]);
    expect(changes).toEqual([
      { kind: "state", edgeId: "ams1", from: "active", to: "drain", origin },
      { kind: "state", edgeId: "ams1", from: "drain", to: "active", origin: { kind: "file" } },
    ]);
    expect(board.setState("nobody", { state: "drain", ...eva })).toBe("unknown-edge");
    expect(board.setState("nobody", { state: "active", ...eva })).toBe("unknown-edge");
  });

  it("puts back in service what the file drains, until the file's word changes", () => {
    const { board } = boardWith([{ ...ams1, state: "drain" }]);
    board.setState("ams1", { state: "active", ...eva });
    expect(board.facts().state[0]).toBe(0);
    board.take(inventoryOf([{ ...ams1, state: "drain" }]));
    expect(board.facts().state[0]).toBe(0);
    board.take(inventoryOf([{ ...ams1, state: "off" }]));
    expect(board.facts().state[0]).toBe(2);
    board.take(inventoryOf([{ ...ams1, state: "drain" }]));
    expect(board.facts().state[0]).toBe(1);
    expect(board.overrides()).toEqual([]);
  });

  it("ends by itself, whatever the wall clock does", async () => {
    let ended = 0;
    const { board, clock } = boardWith([ams1], { onOverrides: () => void ended++ });
    board.setState("ams1", { state: "off", ...eva, untilMs: clock.wallMs() + 60_000 });
    clock.setWall(Date.UTC(2038, 0, 20));
    await clock.advance(59_000);
    expect(board.facts().state[0]).toBe(2);
    await clock.advance(1500);
    expect(board.facts().state[0]).toBe(0);
    expect(ended).toBe(1);
  });

  it("lasts no longer than it was meant to where a machine starts with its wall clock far behind", async () => {
    const setMs = Date.UTC(2026, 10, 27);
    const drained = { state: "drain", ...eva, atMs: setMs, untilMs: setMs + 60_000 } as const;
    const clock = createFakeClock(Date.UTC(1970, 0, 1));
    const { board } = boardWith([ams1], {
      clock,
      overrides: [{ edgeId: "ams1", ...drained, fileState: "active" }],
    });
    await clock.advance(59_000);
    expect(board.facts().state[0]).toBe(1);
    clock.setWall(setMs + 30_000);
    await clock.advance(1500);
    expect(board.facts().state[0]).toBe(0);
  });

  it("comes back after a restart, for edges that come later too, unless its time is over", () => {
    const wallMs = createFakeClock().wallMs();
    const drained = { state: "drain", ...eva, atMs: wallMs - 1000, fileState: "active" } as const;
    const { board } = boardWith([ams1, sin1], {
      overrides: [
        { edgeId: "ams1", ...drained },
        { edgeId: "sin1", ...drained, untilMs: wallMs - 1 },
        { edgeId: "later", ...drained },
      ],
    });
    expect([...board.facts().state]).toEqual([1, 0]);
    board.take(inventoryOf([edge("later")]));
    expect([...board.facts().state]).toEqual([1]);
    expect(board.overrides().map(({ edgeId }) => edgeId)).toEqual(["ams1", "later"]);
  });
});

describe("an operator's word on an edge that a configuration leaves out", () => {
  const WEEK_MS = 7 * 24 * 3_600_000;

  it("waits for it a week, and is shown", async () => {
    let written = 0;
    const { board, clock } = boardWith([ams1, sin1], { onOverrides: () => void written++ });
    board.setState("sin1", { state: "drain", ...eva });
    const atMs = clock.wallMs();
    expect(board.absent()).toEqual([]);
    await clock.standStill(1000);
    board.take(inventoryOf([ams1]));
    expect(written).toBe(1);
    const origin = { kind: "operator", ...eva, atMs };
    const forgottenAtMs = atMs + 1000 + WEEK_MS;
    expect(board.absent()).toEqual([{ id: "sin1", state: "drain", stateOrigin: origin, forgottenAtMs }]);
    await clock.standStill(WEEK_MS - 1000);
    board.take(inventoryOf([ams1, sin1]));
    expect([board.absent(), [...board.facts().state], written]).toEqual([[], [0, 1], 2]);
    await clock.standStill(2 * WEEK_MS);
    expect([...board.facts().state], "as long as the edge is there").toEqual([0, 1]);

    board.take(inventoryOf([ams1]));
    await clock.standStill(WEEK_MS + 1000);
    expect([board.absent(), board.overrides(), written]).toEqual([[], [], 4]);
    board.take(inventoryOf([ams1, sin1]));
    expect([...board.facts().state]).toEqual([0, 0]);
  });

  it("counts from when it went, over a restart and in another process", async () => {
    const first = boardWith([ams1, sin1]);
    first.board.setState("sin1", { state: "off", ...eva });
    first.board.take(inventoryOf([ams1]));
    await first.clock.standStill(WEEK_MS - 1000);
    const options = { clock: first.clock, overrides: first.board.overrides() };
    const restarted = boardWith([ams1], options);
    expect(restarted.board.absent()).toEqual(first.board.absent());
    const successor = boardWith([ams1], { clock: first.clock });
    successor.board.remember(first.board.memory());
    expect(successor.board.absent()).toEqual(first.board.absent());
    const withSin1 = boardWith([ams1, sin1], { clock: first.clock });
    withSin1.board.remember(first.board.memory());
    expect([withSin1.board.absent(), [...withSin1.board.facts().state]]).toEqual([[], [0, 2]]);
    await first.clock.standStill(2000);
    expect([restarted.board.absent(), successor.board.absent()]).toEqual([[], []]);
    expect([...withSin1.board.facts().state]).toEqual([0, 2]);
  });

  it("ends with it where it put back in service what the file drained", () => {
    const drained = { ...sin1, state: "drain" } as const;
    const { board } = boardWith([ams1, drained]);
    board.setState("sin1", { state: "active", ...eva });
    board.take(inventoryOf([ams1]));
    expect([board.absent(), board.overrides()]).toEqual([[], []]);
    board.take(inventoryOf([ams1, drained]));
    expect([...board.facts().state]).toEqual([0, 1]);
  });

  it("is forgotten when the operator takes it back", () => {
    const { board } = boardWith([ams1, sin1]);
    board.setState("sin1", { state: "drain", ...eva });
    board.take(inventoryOf([ams1]));
    expect(board.setState("sin1", { state: "drain", ...eva })).toBe("unknown-edge");
    expect(board.setState("sin1", { state: "active", ...eva })).toBe("forgotten");
    expect([board.absent(), board.overrides()]).toEqual([[], []]);
  });
});

it("has metrics of what is known, and none of what is not", async () => {
  const { board, clock } = boardWith([ams1, sin1]);
  board.health("ams1", { family: 6, health: "up" });
  board.report("ams1", 0, { viewers: 50, bandwidth: 8e6 });
  await clock.advance(2000);
  const samples = new Map(board.metrics().map((family) => [family.name, family.samples]));
  expect(samples.get("edge_up")).toEqual([
    { labels: { edge: "ams1", family: "ipv4" }, value: 0 },
    { labels: { edge: "ams1", family: "ipv6" }, value: 1 },
    { labels: { edge: "sin1", family: "ipv4" }, value: 0 },
  ]);
  const one = { edge: "ams1" };
  expect(samples.get("edge_load_ratio")).toEqual([{ labels: one, value: 0.5 }]);
  expect(samples.get("edge_viewers")).toEqual([{ labels: one, value: 50 }]);
  expect(samples.get("edge_bandwidth_bits")).toEqual([{ labels: one, value: 8e6 }]);
  expect(samples.get("edge_report_age_seconds")).toEqual([{ labels: one, value: 2 }]);
  expect(samples.get("edge_state")).toContainEqual({ labels: { ...one, state: "active" }, value: 1 });
  expect(samples.get("edge_state")).toContainEqual({ labels: { ...one, state: "off" }, value: 0 });
});

describe("what another process knew", () => {
  it("goes on here: overrides, and reports as old as they are", async () => {
    const first = boardWith([ams1, sin1]);
    first.board.setState("ams1", { state: "drain", ...eva });
    first.board.pushReport("ams1", { viewers: 40 });
    first.board.report("sin1", 1, { cpu: 0.5 });
    await first.clock.advance(3000);
    const memory = JSON.parse(JSON.stringify(first.board.memory())) as BoardMemory;

    const next = boardWith([ams1, sin1]);
    next.board.remember(memory);
    expect(next.board.condition("ams1")).toMatchObject({
      state: "drain",
      stateOrigin: { reason: "new disk" },
      load: { viewers: 40 },
    });
    expect(next.board.condition("sin1")?.load).toEqual({ cpu: 0.5 });
    const told = next.changes.length;
    next.board.remember(memory);
    expect(next.changes, "the same again is no news").toHaveLength(told);
    await next.clock.advance(1999);
    expect(next.board.condition("sin1")?.load).toEqual({ cpu: 0.5 });
    await next.clock.advance(1);
    expect(next.board.condition("sin1")?.load, "stale after 5 s in all").toEqual({});
  });

  it("does not outdo what is newer here, and takes back what was taken back there", async () => {
    const first = boardWith([ams1]);
    first.board.pushReport("ams1", { viewers: 40 });
    await first.clock.advance(1000);
    const next = boardWith([ams1]);
    next.board.setState("ams1", { state: "drain", ...eva });
    next.board.pushReport("ams1", { viewers: 41 });
    next.board.remember(first.board.memory());
    expect(next.board.condition("ams1")).toMatchObject({ state: "active", load: { viewers: 41 } });
  });

  it("of an edge or a source that is configured no more is of no use", () => {
    const first = boardWith([ams1, sin1]);
    first.board.pushReport("sin1", { viewers: 1 });
    const next = boardWith([edge("sin1", { load: [JSON_LOAD] })]);
    next.board.remember(first.board.memory());
    expect(next.board.condition("sin1")?.load).toEqual({});
  });
});
