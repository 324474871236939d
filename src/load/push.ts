import type { LoadReport } from "../model/condition.ts";
import type { LoadField } from "../model/edge.ts";
import { LOAD_FIELDS, problemOf, quoted, reportOf } from "./fields.ts";

/**
 * A report as an edge or its agent sends it, from parsed JSON. One wrong value spoils the whole: whoever
 * sends nonsense in one field is not believed in the others.
 */
export function parseReport(body: unknown): LoadReport | { readonly problem: string } {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    return { problem: `expected an object with any of ${LOAD_FIELDS.join(", ")}` };
  const values = new Map<LoadField, unknown>();
  for (const [key, value] of Object.entries(body)) {
    const field = LOAD_FIELDS.find((field) => field === key);
    if (field === undefined)
      return { problem: `unknown key ${quoted(key)}: expected any of ${LOAD_FIELDS.join(", ")}` };
    const problem = problemOf(field, value);
    if (problem !== undefined) return { problem: `${field}: ${problem}` };
    values.set(field, value);
  }
  return reportOf(values);
}
