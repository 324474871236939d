import { createActions } from "./commands/actions.ts";
import { runCli } from "./cli/program.ts";
import { processIo } from "./cli/terminal.ts";

export async function start(): Promise<void> {
  // Left to Node, it opens a debugger to everybody on this machine; others' servers open their logs anew by it.
  process.on("SIGUSR1", () => {});
  // Not process.exit: what is still to be written to a pipe would be cut off.
  process.exitCode = await runCli(process.argv.slice(2), createActions(), processIo());
}
