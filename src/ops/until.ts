/** When something ends: milliseconds since 1970, or why the text does not say so. */
export type Until =
  | { readonly kind: "until"; readonly atMs: number }
  | { readonly kind: "wrong"; readonly detail: string };

/**
 * Reads an RFC 3339 timestamp, or a duration from now as `30m`, `2h` or `1h30m`; it must lie ahead.
 * @param name what a problem calls it
 */
export function parseUntil(text: string, nowMs: number, name = "until"): Until {
  const wrong = (what: string): Until => ({ kind: "wrong", detail: `${name} ${what}` });
  const duration = durationMs(text);
  const atMs = duration === undefined ? timestampMs(text) : nowMs + duration;
  if (atMs === undefined) return wrong("is neither a timestamp as 2030-01-31T18:00:00Z nor a duration as 2h");
  if (atMs <= nowMs) return wrong("has passed already; give a moment to come, or a duration as 2h");
  if (atMs - nowMs > LONGEST_MS) return wrong("is more than ten years ahead; leave it out for no end");
  return { kind: "until", atMs };
}

const LONGEST_MS = 3653 * 86_400_000;
const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function durationMs(text: string): number | undefined {
  if (!/^(\d{1,9}(ms|[smhd]))+$/.test(text)) return undefined;
  const parts = text.matchAll(/(\d+)(ms|[smhd])/g);
  return [...parts].reduce((sum, [, count, unit = ""]) => sum + Number(count) * (UNIT_MS[unit] ?? 0), 0);
}

/** RFC 3339 5.6, without leap seconds; `Date.parse` alone would take February 30. */
function timestampMs(text: string): number | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i.exec(text);
  if (match === null) return undefined;
  const [, year, month, day] = match;
  if (Number(day) > daysIn(Number(year), Number(month))) return undefined;
  const atMs = Date.parse(text.toUpperCase());
  return Number.isNaN(atMs) ? undefined : atMs;
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}
