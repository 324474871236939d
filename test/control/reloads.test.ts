import { expect, it, vi } from "vitest";
import type { LoadedConfig } from "../../src/config/load.ts";
import { createReloads, type ReloadOptions } from "../../src/control/reloads.ts";
import { createFakeClock } from "../base/fake-clock.ts";
import { plainInventory } from "../inventory.ts";

/** Of a configuration that is right and is taken at once, but for what is given. */
function reloadsWith<Prepared = undefined>(given: Partial<ReloadOptions<Prepared>>) {
  const inventory = plainInventory();
  return createReloads<Prepared>({
    log: { info() {}, warn() {}, error() {} },
    load: async () => ({ kind: "ok", inventory, files: [], digest: "same" }),
    digest: async () => "same",
    current: () => inventory,
    prepare: async () => undefined as Prepared,
    settle: [],
    take() {},
    told() {},
    stopped: new AbortController().signal,
    ...given,
  });
}

/** Files whose text is set here, and how often they were read as a configuration; a text of "wrong" is refused. */
function reloadsOf(files: { text: string }, clock = createFakeClock()) {
  const inventory = plainInventory();
  let reads = 0;
  const load = async (): Promise<LoadedConfig> => {
    reads++;
    const { text: digest } = files;
    const problem = { file: "/none", line: 1, column: 1, path: "", message: "wrong" };
    return digest === "wrong"
      ? { kind: "problems", problems: [problem], digest }
      : { kind: "ok", inventory, files: [], digest };
  };
  const reloads = reloadsWith({ load, digest: async () => files.text, clock });
  return { reloads, reads: () => reads };
}

it("reads an edit once, though a signal and the watcher tell of it", async () => {
  const files = { text: "first" };
  const { reloads, reads } = reloadsOf(files);
  const signalled = reloads.reload();
  await reloads.edited();
  await signalled;
  expect(reads()).toBe(1);
  files.text = "second";
  await reloads.edited();
  expect(reads()).toBe(2);
  await reloads.edited();
  expect(reads(), "the same text, written again").toBe(2);
});

it("reads it again whenever it is asked for", async () => {
  const { reloads, reads } = reloadsOf({ text: "first" });
  await reloads.reload();
  await reloads.reload();
  expect(reads()).toBe(2);
});

it("does not refuse the same twice, and sees the mend", async () => {
  const files = { text: "wrong" };
  const { reloads, reads } = reloadsOf(files);
  await reloads.edited();
  await reloads.edited();
  expect(reads()).toBe(1);
  expect(reloads.last().successful).toBe(false);
  files.text = "mended";
  await reloads.edited();
  expect(reloads.last().successful).toBe(true);
});

it("lets others have their turn between the steps of what is made ready, and then takes it", async () => {
  const done: string[] = [];
  const reloads = reloadsWith({
    settle: [
      function* () {
        for (const step of ["one", "two", "three"]) {
          done.push(step);
          setImmediate(() => done.push(`after ${step}`));
          yield;
        }
      },
      () => {
        done.push("the next");
        return undefined;
      },
    ],
    take: () => void done.push("taken"),
  });
  await reloads.reload();
  expect(done).toEqual(["one", "after one", "two", "after two", "three", "after three", "the next", "taken"]);
});

it("hands on what was prepared, and says so when a step fails, and takes the next one", async () => {
  const taken: string[] = [];
  let isBroken = true;
  const reloads = reloadsWith({
    prepare: async () => "prepared",
    settle: [
      () => {
        if (isBroken) throw new Error("a bug");
        return undefined;
      },
    ],
    take: (_, prepared) => void taken.push(prepared),
  });
  expect(await reloads.reload()).toMatchObject({
    kind: "refused",
    problems: [{ message: expect.stringContaining("was not taken") }],
  });
  expect(reloads.last().successful).toBe(false);
  isBroken = false;
  await reloads.edited();
  expect(reloads.last().successful).toBe(true);
  expect(taken).toEqual(["prepared"]);
});

it("goes no further once the process is stopped: what was stopped would begin anew, and never end", async () => {
  const done: string[] = [];
  const stopped = new AbortController();
  const reloads = reloadsWith({
    settle: [
      () => {
        done.push("probes");
        stopped.abort();
        return undefined;
      },
      () => {
        done.push("load");
        return undefined;
      },
    ],
    take: () => void done.push("taken"),
    stopped: stopped.signal,
  });
  const verdict = {
    kind: "refused",
    problems: [{ message: expect.stringContaining("is ending") as string }],
  };
  expect(await reloads.reload()).toMatchObject(verdict);
  expect(await reloads.reload()).toMatchObject(verdict);
  expect(done).toEqual(["probes"]);
  expect(reloads.last().successful).toBe(true);
});

it("takes what could not be read for a while, though nobody edits it", async () => {
  const clock = createFakeClock();
  const inventory = plainInventory();
  const problem = { file: "/none", line: 1, column: 1, path: "", message: "cannot be read" };
  let reads = 0;
  let isBack = false;
  const reloads = reloadsWith({
    clock,
    load: async () => {
      reads++;
      return isBack
        ? { kind: "ok", inventory, files: [], digest: "same" }
        : { kind: "problems", problems: [problem] };
    },
  });
  await reloads.edited();
  expect(reloads.last().successful).toBe(false);
  for (let i = 0; i < 60; i++) await clock.advance(60_000);
  expect(reads, "each try may cost much: they grow rarer").toBeLessThan(15);
  isBack = true;
  await vi.waitFor(async () => {
    await clock.advance(60_000);
    expect(reloads.last().successful).toBe(true);
  }, 10_000);
  const readsInAll = reads;
  await clock.advance(60 * 60_000);
  expect(reads).toBe(readsInAll);
});

it("looks again at files that are refused: what was wrong may have been this machine's doing", async () => {
  const clock = createFakeClock();
  const files = { text: "wrong" };
  const { reloads, reads } = reloadsOf(files, clock);
  await reloads.edited();
  await clock.advance(60_000);
  expect(reads(), "the same text").toBe(1);
  files.text = "mended";
  await vi.waitFor(async () => {
    await clock.advance(10_000);
    expect(reloads.last().successful).toBe(true);
  }, 10_000);
});
