import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { expect, it } from "vitest";
import { setup } from "../temporary-folder.ts";

it("tests have a temporary folder of the run", () => {
  expect(basename(tmpdir())).toMatch(/^edgeward-tests-/);
});

it("what is left in it goes with it", () => {
  const before = tmpdir();
  const tearDown = setup();
  const own = tmpdir();
  expect(dirname(own)).toBe(before);
  const left = mkdtempSync(join(own, "left-"));
  writeFileSync(join(left, "file"), "");
  tearDown();
  expect(existsSync(left)).toBe(false);
  expect(existsSync(own)).toBe(false);
  expect(tmpdir()).toBe(before);
});
