/** When a drain ends, in the words of the operators' door, or why the text does not say so. */
export type Until =
  | {
      readonly kind: "until";
      readonly text: string;
      /** By this machine's clock, milliseconds since 1970. */
      readonly atMs: number;
    }
  | { readonly kind: "wrong"; readonly message: string };

/**
 * Reads an RFC 3339 timestamp, a time of day (the next such moment, local time) or a duration. Only a
 * time of day is translated: a duration is counted by the service's clock, not by this machine's.
 */
export function readUntil(text: string, nowMs: number): Until {
  if (/^(\d{1,9}[smhd])+$/.test(text)) return { kind: "until", text, atMs: nowMs + lengthMs(text) };
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (clock !== null) return at(nextTime(Number(clock[1]), Number(clock[2]), nowMs));
  if (!RFC_3339.test(text) || Number.isNaN(Date.parse(text))) return wrong(EXPECTED);
  return Date.parse(text) > nowMs ? at(text) : wrong(`${text} has passed already`);
}

const MS_IN: { readonly [unit: string]: number } = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function lengthMs(duration: string): number {
  const parts = [...duration.matchAll(/(\d+)(\w)/g)];
  return parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (MS_IN[unit] ?? 0), 0);
}

function at(text: string): Until {
  return { kind: "until", text, atMs: Date.parse(text) };
}

/** Section 5.6. */
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;

const EXPECTED =
  "expected a time of day as 22:00, a duration as 2h, or an RFC 3339 timestamp as 2030-01-31T18:00:00Z";

/** Today, or tomorrow where that has passed. */
function nextTime(hours: number, minutes: number, nowMs: number): string {
  const date = new Date(nowMs);
  date.setHours(hours, minutes, 0, 0);
  if (date.getTime() <= nowMs) date.setDate(date.getDate() + 1);
  return date.toISOString();
}

function wrong(message: string): Until {
  return { kind: "wrong", message };
}
