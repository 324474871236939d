import { COMPONENTS, commonProblems, OPERATIONS, type AnswerKind, type Operation } from "./operations.ts";
import { PROBLEM_TYPE, PROBLEMS, type ProblemCode } from "./problems.ts";
import type { JsonSchema } from "./schemas.ts";

/** The OpenAPI 3.1 description of the door, from its table of operations. */
export function openapiDocument(version: string): object {
  return {
    openapi: "3.1.0",
    info: { title: "edgeward operators' door", version },
    components: {
      schemas: COMPONENTS,
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
    paths: paths(),
  };
}

function paths(): Record<string, Record<string, object>> {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of OPERATIONS) {
    const path = (paths[operation.path] ??= {});
    path[operation.method.toLowerCase()] = describe(operation);
  }
  return paths;
}

function describe(operation: Operation): object {
  const parameters = [...fields(operation.params, "path"), ...fields(operation.query, "query")];
  return {
    operationId: operation.id,
    summary: operation.summary,
    security: operation.access === "anyone" ? [] : [{ token: [] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(operation.body === undefined ? {} : { requestBody: requestBody(operation.body) }),
    responses: { [operation.answer.status]: answer(operation.answer), ...refusals(operation) },
  };
}

function fields(schema: JsonSchema | undefined, where: "path" | "query"): object[] {
  const required = new Set((schema?.["required"] ?? []) as string[]);
  const properties = (schema?.["properties"] ?? {}) as Record<string, JsonSchema>;
  return Object.entries(properties).map(([name, field]) => ({
    name,
    in: where,
    required: required.has(name),
    schema: field,
  }));
}

function requestBody(schema: JsonSchema): object {
  return { required: true, content: { "application/json": { schema: reference(schema) } } };
}

function reference(schema: JsonSchema): JsonSchema {
  const name = Object.entries(COMPONENTS).find(([, component]) => component === schema)?.[0];
  return name === undefined ? schema : { $ref: `#/components/schemas/${name}` };
}

function answer({ description, contentType, schema }: AnswerKind): object {
  if (contentType === undefined) return { description };
  const body = schema === undefined ? {} : { schema: { $ref: `#/components/schemas/${schema}` } };
  return { description, content: { [contentType.split(";")[0] ?? contentType]: body } };
}

/** By status; one status may stand for several problems. */
function refusals(operation: Operation): Record<string, object> {
  const codes = new Set<ProblemCode>([...commonProblems(operation), ...operation.problems]);
  return Object.fromEntries([...groupByStatus(codes)].map(([status, titles]) => [status, refusal(titles)]));
}

function groupByStatus(codes: Iterable<ProblemCode>): Map<number, string[]> {
  const groups = new Map<number, string[]>();
  for (const code of codes) {
    const { status, title } = PROBLEMS[code];
    groups.set(status, [...(groups.get(status) ?? []), title]);
  }
  return groups;
}

function refusal(titles: readonly string[]): object {
  const schema = { $ref: "#/components/schemas/Problem" };
  return { description: titles.join("; "), content: { [PROBLEM_TYPE]: { schema } } };
}
