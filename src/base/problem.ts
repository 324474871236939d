import type { Problem } from "../model/problem.ts";

/** `FILE:LINE:COLUMN: PATH: what is wrong, and what would be right`. */
export function formatProblem({ file, line, column, path, message }: Problem): string {
  return `${file}:${line}:${column}: ${path === "" ? "" : `${path}: `}${message}`;
}
