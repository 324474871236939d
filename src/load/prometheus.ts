import type { Labels } from "../model/metrics.ts";

export interface PrometheusSample {
  readonly labels: Labels;
  /** NaN and infinities as they are. */
  readonly value: number;
}

/**
 * The samples of the wanted metrics in a text exposition (Prometheus text format 0.0.4). Other lines are passed
 * over; a wanted line that makes no sense is left out. Every wanted name is in the result.
 */
export function readMetrics<N extends string>(
  body: string,
  wanted: readonly N[],
): Record<N, PrometheusSample[]> {
  const found = Object.fromEntries(wanted.map((name) => [name, []])) as unknown as Record<
    N,
    PrometheusSample[]
  >;
  for (let start = 0; start < body.length; ) {
    const newline = body.indexOf("\n", start);
    const end = newline < 0 ? body.length : newline;
    const name = wanted.find((name) => isNamed(body, start, name));
    const sample = name === undefined ? undefined : sampleIn(body.slice(start + name.length, end));
    if (name !== undefined && sample !== undefined) found[name].push(sample);
    start = end + 1;
  }
  return found;
}

/** The first sample's value. */
export function valueOf(samples: readonly PrometheusSample[]): number | undefined {
  return samples[0]?.value;
}

function isNamed(body: string, start: number, name: string): boolean {
  const next = body.charCodeAt(start + name.length);
  return (next === BRACE || next === SPACE || next === TAB) && body.startsWith(name, start);
}

const BRACE = 0x7b;
const SPACE = 0x20;
const TAB = 0x09;

/** What stands after the name: `{label="value",…} value [timestamp]`, with or without labels. */
function sampleIn(rest: string): PrometheusSample | undefined {
  const labels: { [name: string]: string } = {};
  let at = 0;
  if (rest.startsWith("{")) {
    LABEL.lastIndex = 1;
    at = 1;
    for (let match = LABEL.exec(rest); match !== null; match = LABEL.exec(rest)) {
      labels[match[1] ?? ""] = unescaped(match[2] ?? "");
      at = LABEL.lastIndex;
    }
    const closing = /^[\s,]*\}/.exec(rest.slice(at));
    if (closing === null) return undefined;
    at += closing[0].length;
  }
  const [text] = rest.slice(at).trim().split(/\s+/);
  const value = numberOf(text ?? "");
  return value === undefined ? undefined : { labels, value };
}

const LABEL = /[\s,]*([A-Za-z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"/gy;

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char));
}

function numberOf(text: string): number | undefined {
  if (/^[+-]?Inf$/i.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  if (text === "NaN") return Number.NaN;
  const value = Number(text);
  return text === "" || Number.isNaN(value) ? undefined : value;
}
