import { type Reading, read, refuse } from "./reading.ts";

const step = /\.?(\*|[^.[\]"*\s]+)|\.?"([^"]+)"|\[(\d{1,6}|\*)\]|\["([^"]+)"\]/y;

/**
 * Where a field stands in a JSON document: `connections.active`, `servers[0].out`, `streams.*.viewers`,
 * `zones["a.b"].count`. Numbers in the result are array indices, `"*"` is every member.
 */
export function readJsonPath(text: string): Reading<(string | number)[]> {
  if (/^\$[.[]/.test(text)) return refuse("begins with $, which stands for the document; leave it out");
  const steps: (string | number)[] = [];
  step.lastIndex = 0;
  while (step.lastIndex < text.length) {
    const atDot = text[step.lastIndex] === ".";
    const match = step.exec(text);
    const begins = steps.length === 0;
    const bracketed = match?.[3] ?? match?.[4];
    if (match === null || (bracketed === undefined && begins === atDot)) {
      return refuse('is not a path; write it as connections.active, servers[0].out or streams.*["a.b"]');
    }
    steps.push(stepOf(match));
  }
  return steps.length === 0 ? refuse("is empty; name a field") : read(steps);
}

function stepOf([, name, quoted, bracket, bracketQuoted]: RegExpExecArray): string | number {
  if (bracket !== undefined) return bracket === "*" ? "*" : Number(bracket);
  return name ?? quoted ?? bracketQuoted ?? "";
}
