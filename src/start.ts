import { createActions } from "./commands/actions.ts";
import { runCli } from "./cli/program.ts";
import { processIo } from "./cli/terminal.ts";

export async function start(): Promise<void> {
  // Not process.exit: what is still to be written to a pipe would be cut off.
  process.exitCode = await runCli(process.argv.slice(2), createActions(), processIo());
}
