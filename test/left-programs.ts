import { readdirSync, readFileSync } from "node:fs";

/**
 * Ends the program wherever it was left running with a folder in its environment: by tests that timed out or were
 * killed, or as another's successor. On Linux, which tells of what others run and with which environment.
 * @param variable what names the folder: the temporary one of a whole run, or a test's own as STATE_DIRECTORY
 * @returns how many there were
 */
export function endLeftPrograms(folder: string, variable: "TMPDIR" | "STATE_DIRECTORY" = "TMPDIR"): number {
  const left = processIds().filter((pid) => {
    const isProgram = fieldsOf(pid, "cmdline").some((word) => word.endsWith("/dist/main.js"));
    return isProgram && fieldsOf(pid, "environ").includes(`${variable}=${folder}`);
  });
  for (const pid of left) kill(pid);
  return left.length;
}

function processIds(): number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}

/** Empty for one that is gone, or somebody else's. */
function fieldsOf(pid: number, file: "cmdline" | "environ"): string[] {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8").split("\0");
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
