import type { Writable } from "node:stream";

/** Where a command's words go, and what it knows of its surroundings. */
export interface CliIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether `out` takes colour. */
  readonly colour: boolean;
  /** For the operators' door; from the environment, never from an argument that `ps` would show. */
  readonly token?: string;
  /** Wall clock, milliseconds since 1970. */
  readonly nowMs: () => number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** This process's terminal. A reader that went away (`| head`) is no error; one that cannot be written to is. */
export function processIo(): CliIo {
  process.stdout.on("error", onWriteError);
  process.stderr.on("error", onWriteError);
  const token = process.env["EDGEWARD_TOKEN"]?.trim();
  return {
    out: writerTo(process.stdout),
    err: writerTo(process.stderr),
    colour: wantsColour(process.env, process.stdout.isTTY),
    ...(token === undefined || token === "" ? {} : { token }),
    nowMs: Date.now,
  };
}

/** Only on a terminal, and not where NO_COLOR is set to anything (no-color.org) or the terminal is dumb. */
export function wantsColour(env: Environment, isTerminal: boolean | undefined): boolean {
  return isTerminal === true && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
}

function onWriteError(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") process.exitCode = 1;
}

function writerTo(stream: Writable): (text: string) => void {
  return (text) => void stream.write(text);
}
