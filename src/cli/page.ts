import { type Answer, EXIT, exitCodeOf, failureText } from "./answer.ts";
import type { CliIo } from "./terminal.ts";
import { printableJson } from "./text.ts";

/** How pages are drawn. */
export interface Look {
  readonly colour: boolean;
  /** Wall clock, milliseconds since 1970; ages are told from it. */
  readonly nowMs: number;
}

export type Format = "table" | "json";

/** How one kind of value is shown. */
export interface Page<T> {
  /** Lines for people; everything in them is printable already. */
  readonly lines: (value: T, look: Look) => readonly string[];
  /** What `-o json` prints, where that is not the value itself. */
  readonly json?: (value: T) => unknown;
  /** What goes to stderr beside the value, in any format. */
  readonly warning?: (value: T) => string | undefined;
  /** The exit code, where it is not always 0. */
  readonly exitCode?: (value: T) => number;
}

/** Shows the value on stdout, or the failure on stderr; returns the exit code. */
export function show<T>(io: CliIo, format: Format, answer: Answer<T>, page: Page<T>): number {
  if (answer.kind !== "done") {
    io.err(failureText(answer));
    return exitCodeOf(answer);
  }
  const { value } = answer;
  io.out(
    format === "json" ? printableJson(page.json?.(value) ?? value) : linesText(page.lines(value, lookOf(io))),
  );
  const warning = page.warning?.(value);
  if (warning !== undefined) io.err(`edgeward: warning: ${warning}\n`);
  return page.exitCode?.(value) ?? EXIT.done;
}

function linesText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

function lookOf({ colour, nowMs }: CliIo): Look {
  return { colour, nowMs: nowMs() };
}
