import { Command, CommanderError } from "commander";
import type { CliActions } from "./actions.ts";
import { EXIT } from "./answer.ts";
import { withDigestLast } from "./digest-argument.ts";
import { addLocalCommands } from "./local-syntax.ts";
import { addServiceCommands } from "./service-syntax.ts";
import type { CliIo } from "./terminal.ts";
import { printable } from "./text.ts";

/**
 * Runs one command and returns the exit code: 0 done, 1 the answer is no, 2 wrong usage, 3 the
 * configuration is wrong, 4 the service cannot be reached.
 * @param args without the program's own name: `process.argv.slice(2)`
 */
export async function runCli(args: readonly string[], actions: CliActions, io: CliIo): Promise<number> {
  let exitCode: number = EXIT.done;
  const program = newProgram(actions, io);
  const shell = {
    actions,
    io,
    ending:
      <A extends unknown[]>(command: (...args: A) => number | Promise<number>) =>
      async (...args: A): Promise<void> => {
        exitCode = await command(...args);
      },
  };
  addLocalCommands(program, shell);
  addServiceCommands(program, shell);
  try {
    await program.parseAsync(withDigestLast(args), { from: "user" });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const isFileNamed =
      error.code === "commander.excessArguments" && args.some((arg) => /\.ya?ml$/.test(arg));
    if (isFileNamed) io.err("(a configuration is named with -c FILE)\n");
    return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
}

function newProgram({ version }: CliActions, io: CliIo): Command {
  return new Command("edgeward")
    .description("Directs viewers of streams to the best edge server, by DNS and by HTTP redirects.")
    .version(version, "-V, --version")
    .showHelpAfterError("(--help tells more)")
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: (text) => io.err(escapedLines(text)) })
    .addHelpText("after", EXIT_CODES);
}

const EXIT_CODES = `
EDGEWARD_TOKEN in the environment is the token for the operators' door.
Exit codes: 0 done, 1 the answer is no, 2 wrong usage, 3 the configuration is wrong, 4 the service cannot be reached.`;

/** An argument that is repeated in a message must not move the cursor. */
function escapedLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}
