import type { JsonField, JsonLoad, LoadField, LoadSource, PushLoad } from "../model/edge.ts";
import type { Report } from "./report.ts";
import type { LoadSourceInput } from "./schema-load.ts";

type Input<T> = Extract<LoadSourceInput, { type: T }>;

type Builders = {
  readonly [T in LoadSourceInput["type"]]: (input: Input<T>, report: Report) => LoadSource;
};

/** One entry for each type of load source. */
const builders: Builders = { push: pushLoad, json: jsonLoad };

export function buildLoad(input: LoadSourceInput, report: Report): LoadSource {
  const build = builders[input.type] as (i: LoadSourceInput, r: Report) => LoadSource;
  return build(input, report);
}

function pushLoad(input: Input<"push">): PushLoad {
  return { type: "push", staleAfterMs: input.staleAfter };
}

function jsonLoad(input: Input<"json">, report: Report): JsonLoad {
  checkPulling(input, report);
  const fields = fieldsOf(input.fields);
  if (Object.keys(fields).length === 0) report(["fields"], "empty; give the path of at least one field");
  return {
    type: "json",
    staleAfterMs: input.staleAfter,
    url: input.url,
    intervalMs: input.interval,
    timeoutMs: input.timeout,
    ...(input.username === undefined ? {} : { username: input.username }),
    ...(input.password === undefined ? {} : { password: input.password }),
    fields,
  };
}

function checkPulling(
  input: { timeout: number; interval: number; staleAfter: number },
  report: Report,
): void {
  if (input.timeout > input.interval) {
    report(["timeout"], "longer than the interval; a reading must end before the next starts");
  }
  if (input.staleAfter < input.interval) {
    report(
      ["staleAfter"],
      "shorter than the interval: every report would be stale before the next; make it longer",
    );
  }
}

function fieldsOf(input: Input<"json">["fields"]): { [field in LoadField]?: JsonField } {
  const fields: { [field in LoadField]?: JsonField } = {};
  for (const [name, field] of Object.entries(input)) {
    if (field === undefined) continue;
    fields[name as LoadField] = Array.isArray(field) ? { path: field, factor: 1 } : field;
  }
  return fields;
}
