/** The unit for systemd is one that systemd takes, and stays as closed as it is said to be. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "edgeward-unit-"));
afterAll(() => rmSync(folder, { recursive: true }));

const isMissing = spawnSync("systemd-analyze", ["--version"]).error !== undefined;

/** As shipped, but with the programs of this machine. */
function unitHere(): string {
  const file = join(folder, "edgeward.service");
  const text = readFileSync(join(ROOT, "config/edgeward.service"), "utf8");
  writeFileSync(
    file,
    text.replace("/usr/bin/node", process.execPath).replace("/opt/edgeward/docs", `${ROOT}/docs`),
  );
  return file;
}

const analyze = (...args: string[]) => spawnSync("systemd-analyze", args, { encoding: "utf8" });

describe.skipIf(isMissing && process.env["CI"] === undefined)("the unit for systemd", () => {
  it("is understood, every line of it", () => {
    expect(analyze("verify", unitHere())).toMatchObject({ status: 0, stdout: "", stderr: "" });
    const wrong = join(folder, "wrong.service");
    writeFileSync(wrong, readFileSync(unitHere(), "utf8").replace("WatchdogSec", "WatchdogSecs"));
    expect(analyze("verify", wrong).stderr, "or it proves nothing").toContain("WatchdogSecs");
  });

  it("is exposed by at most 2.5 of 10", () => {
    const exposure = (threshold: number) =>
      analyze("security", "--offline=true", `--threshold=${threshold}`, unitHere()).status;
    expect(exposure(25)).toBe(0);
    expect(exposure(5), "or it proves nothing").not.toBe(0);
  });
});
