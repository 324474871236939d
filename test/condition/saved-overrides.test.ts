import { expect, it } from "vitest";
import type { Override } from "../../src/condition/override.ts";
import { createSavedOverrides } from "../../src/condition/saved-overrides.ts";
import type { StateFile } from "../../src/condition/state-file.ts";
import { createFakeClock } from "../base/fake-clock.ts";

const drainOf = (edgeId: string): Override => ({
  edgeId,
  state: "drain",
  by: "eva",
  reason: "",
  atMs: 1,
  fileState: "active",
});

/** On a disk that is full for as long as a test says. */
function saving() {
  const clock = createFakeClock();
  const disk = { isFull: true, tries: 0, written: [] as readonly Override[] };
  const said: Override[] = [];
  const news: string[] = [];
  const write: StateFile["write"] = async (overrides) => {
    disk.tries++;
    if (disk.isFull) return { kind: "failed", problem: "ENOSPC" };
    disk.written = [...overrides];
    return { kind: "written" };
  };
  const saved = createSavedOverrides({
    stateFile: { write },
    overrides: () => said,
    log: { info: (_, message) => void news.push(message) },
    clock,
  });
  const gauge = (): unknown => saved.metrics()[0]?.samples;
  return { clock, disk, said, news, saved, gauge };
}

it("writes down what could not be written, as soon as there is room", async () => {
  const { clock, disk, said, news, saved, gauge } = saving();
  said.push(drainOf("ams1"));
  expect(await saved.save()).toBe(false);
  expect(saved.areSaved()).toBe(false);
  expect(gauge()).toEqual([{ labels: {}, value: 0 }]);
  said.push(drainOf("sin1"));
  await clock.advance(60_000);
  expect(disk.tries).toBe(3);
  disk.isFull = false;
  await clock.advance(60_000);
  expect(disk.written.map(({ edgeId }) => edgeId)).toEqual(["ams1", "sin1"]);
  expect(saved.areSaved()).toBe(true);
  expect(gauge()).toEqual([{ labels: {}, value: 1 }]);
  expect(news).toEqual(["state file is written again: drains outlast a restart"]);
  const { tries } = disk;
  await clock.advance(10 * 60_000);
  expect(disk.tries).toBe(tries);
});

it("tries no more once it is stopped", async () => {
  const { clock, disk, saved } = saving();
  await saved.save();
  saved.stop();
  await clock.advance(10 * 60_000);
  expect(disk.tries).toBe(1);
});
