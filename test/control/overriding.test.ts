import { expect, it, onTestFinished } from "vitest";
import { createBoard } from "../../src/condition/board.ts";
import { createOverriding } from "../../src/control/overriding.ts";
import { plainEdge, plainInventory, plainService } from "../inventory.ts";

const edges = [plainEdge("ams1"), plainEdge("sin1", { index: 1 })];
const services = [plainService({ edges: [0, 1] }), plainService({ id: "vod", index: 1, edges: [1] })];
const DRAIN = { state: "drain", reason: "new disk" } as const;

/** `happened`: in turn, with the edge's state at that moment. */
function setUp(isWritable = true) {
  const board = createBoard({});
  onTestFinished(() => board.stop());
  const inventory = plainInventory({ edges, services });
  board.take(inventory);
  const happened: string[] = [];
  const note = (what: string): void => void happened.push(`${what}: ${board.condition("sin1")?.state}`);
  const setState = createOverriding({
    inventory: () => inventory,
    board,
    drains: { refresh: () => note("drains") },
    worlds: { refresh: () => note("doors") },
    saved: {
      async save() {
        note("file");
        return isWritable;
      },
    },
  });
  return { board, happened, setState };
}

it("tells the doors before the file is written", async () => {
  const { happened, setState } = setUp();
  await setState("sin1", DRAIN, "eva");
  expect(happened).toEqual(["drains: drain", "doors: drain", "file: drain"]);
});

it("says which services have no edge left, and whose word holds no longer", async () => {
  const { setState } = setUp();
  const drained = await setState("sin1", DRAIN, "eva");
  expect(drained).toMatchObject({ kind: "set", persisted: true, unserved: ["vod"] });
  expect(drained).not.toHaveProperty("replaced");
  expect(await setState("ams1", DRAIN, "eva")).toMatchObject({ unserved: ["live"] });
  const back = await setState("sin1", { state: "active", reason: "" }, "ada");
  expect(back).toMatchObject({ replaced: { state: "drain", stateOrigin: { by: "eva" } } });
  expect(back).not.toHaveProperty("unserved");
});

it("holds though it cannot be written down", async () => {
  const { board, setState } = setUp(false);
  expect(await setState("sin1", DRAIN, "eva")).toMatchObject({ kind: "set", persisted: false });
  expect(board.isActive("sin1")).toBe(false);
});

it("tells and writes nothing of an edge that nobody knows", async () => {
  const { happened, setState } = setUp();
  expect(await setState("none1", DRAIN, "eva")).toEqual({ kind: "unknown-edge" });
  expect(happened).toEqual([]);
});

it("has an earlier drain forgotten of an edge that is not configured any more", async () => {
  const { board, happened, setState } = setUp();
  await setState("sin1", DRAIN, "eva");
  board.take(plainInventory({ edges: edges.slice(0, 1) }));
  happened.length = 0;
  const active = { state: "active", reason: "" } as const;
  expect(await setState("sin1", active, "eva")).toEqual({ kind: "forgotten", persisted: true });
  expect(happened).toEqual(["file: undefined"]);
});
