import type { LoadReport } from "../model/condition.ts";
import type { Capacity, LoadField } from "../model/edge.ts";
import { isObject } from "./document.ts";
import { LOAD_FIELDS, problemOf, quoted, reportOf } from "./fields.ts";

/**
 * A report as an edge or its agent sends it, from parsed JSON. One wrong value spoils the whole: whoever
 * sends nonsense in one field is not believed in the others.
 */
export function parseReport(body: unknown): LoadReport | Wrong {
  if (!isObject(body) || Array.isArray(body))
    return { problem: `expected an object with any of ${LOAD_FIELDS.join(", ")}` };
  const { capacity, ...fields } = body as { capacity?: unknown };
  const values = parseFields(fields, LOAD_FIELDS);
  if (!(values instanceof Map)) return values;
  if (capacity === undefined) return reportOf(values);
  const stated = parseCapacity(capacity);
  return "problem" in stated ? stated : { ...reportOf(values), capacity: stated };
}

/** What the server says it can carry. */
function parseCapacity(capacity: unknown): Capacity | Wrong {
  if (!isObject(capacity) || Array.isArray(capacity))
    return { problem: `capacity: expected an object with any of ${CAPACITY_FIELDS.join(", ")}` };
  const values = parseFields(capacity, CAPACITY_FIELDS);
  if (values instanceof Map) return Object.fromEntries(values) as Capacity;
  return { problem: `capacity: ${values.problem}` };
}

const CAPACITY_FIELDS = ["viewers", "bandwidth"] as const;

interface Wrong {
  readonly problem: string;
}

function parseFields(body: object, known: readonly LoadField[]): Map<LoadField, unknown> | Wrong {
  const values = new Map<LoadField, unknown>();
  for (const [key, value] of Object.entries(body)) {
    const field = known.find((field) => field === key);
    if (field === undefined)
      return { problem: `unknown key ${quoted(key)}: expected any of ${known.join(", ")}` };
    const problem = problemOf(field, value);
    if (problem !== undefined) return { problem: `${field}: ${problem}` };
    values.set(field, value);
  }
  return values;
}
