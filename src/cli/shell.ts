import type { CliActions } from "./actions.ts";
import type { CliIo } from "./terminal.ts";

/** What every command has beside its arguments. */
export interface Shell {
  readonly actions: CliActions;
  readonly io: CliIo;
  /** For commander: runs the command with the arguments as read. The program ends with the exit code it returns. */
  readonly ending: <A extends unknown[]>(
    command: (...args: A) => number | Promise<number>,
  ) => (...args: A) => Promise<void>;
}
