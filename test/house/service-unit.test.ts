/** The units for systemd are such as systemd takes, and stay as closed as they are said to be. */
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
function unitHere(name: string): string {
  const file = join(folder, name);
  const text = readFileSync(join(ROOT, "config", name), "utf8");
  writeFileSync(
    file,
    text.replace("/usr/bin/node", process.execPath).replace("/opt/edgeward/docs", `${ROOT}/docs`),
  );
  return file;
}

const analyze = (...args: string[]) => spawnSync("systemd-analyze", args, { encoding: "utf8" });

const isToSkip = isMissing && process.env["CI"] === undefined;

describe.each(["edgeward.service", "edgeward-agent.service"])("%s", (name) => {
  it.skipIf(isToSkip)("is understood by systemd, every line of it", () => {
    expect(analyze("verify", unitHere(name))).toMatchObject({ status: 0, stdout: "", stderr: "" });
    const wrong = join(folder, `wrong-${name}`);
    writeFileSync(wrong, readFileSync(unitHere(name), "utf8").replace("RestartSec", "RestartSecs"));
    expect(analyze("verify", wrong).stderr, "or it proves nothing").toContain("RestartSecs");
  });

  it.skipIf(isToSkip)("is exposed by at most 2.5 of 10", () => {
    const exposure = (threshold: number) =>
      analyze("security", "--offline=true", `--threshold=${threshold}`, unitHere(name)).status;
    expect(exposure(25)).toBe(0);
    expect(exposure(5), "or it proves nothing").not.toBe(0);
  });

  it("refuses system calls with an error that Node copes with, and does not kill it", () => {
    expect(readFileSync(unitHere(name), "utf8")).toContain("SystemCallErrorNumber=EPERM");
  });
});

it("edgeward.service goes on when the process that is to take its place is ended for want of memory", () => {
  expect(readFileSync(unitHere("edgeward.service"), "utf8")).toContain("OOMPolicy=continue");
});
