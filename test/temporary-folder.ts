/**
 * Whatever tests put into the temporary folder of the system goes with the folder that they are given in its place,
 * and so do programs that they left running there, also of tests that fail or are killed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endLeftPrograms } from "./left-programs.ts";

/**
 * Of a whole run, before its processes are started, which have it in their environment. Returns what is to be done
 * after.
 */
export function setup(): () => void {
  const { TMPDIR: before } = process.env;
  const folder = mkdtempSync(join(tmpdir(), "edgeward-tests-"));
  process.env["TMPDIR"] = folder;
  const remove = (): void => {
    endLeftPrograms(folder);
    // Others may still write into it.
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once("exit", remove); // a run that is interrupted has no end of its own
  return () => {
    process.off("exit", remove);
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
    remove();
  };
}
