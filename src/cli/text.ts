/** Control, format, separator and lone surrogate characters: what could move a cursor or reorder a line. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** The text with every character that a terminal could act upon as `\u001b`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}

/** Indented JSON; characters that a terminal could act upon stay escaped, so that it reads back the same. */
export function printableJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2).split("\n").map(printable).join("\n")}\n`;
}

function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`,
  ).join("");
}

/** The table's word for a name from the network, which may be one that the table never heard of. */
export function wordFor<W>(words: Readonly<Record<string, W>>, name: string): W | undefined {
  return Object.hasOwn(words, name) ? words[name] : undefined;
}

export type Style = "bold" | "dim" | "red" | "green" | "yellow";

/** SGR parameters to begin and end with (ECMA-48 8.3.117). */
const SGR: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
};

export function styled(text: string, style: Style, colour: boolean): string {
  const [begin, end] = SGR[style];
  return colour ? `\u001b[${begin}m${text}\u001b[${end}m` : text;
}

/** What stands where nothing is known. */
export const UNKNOWN = "-";

/** Whole kilometres; with one decimal below ten. */
export function kilometres(km: number | null | undefined): string {
  if (typeof km !== "number" || !Number.isFinite(km)) return UNKNOWN;
  return km > 0 && km < 10 ? km.toFixed(1) : String(Math.round(km));
}

/** 0.734 as `73%`. */
export function percent(ratio: number | null | undefined): string {
  return typeof ratio === "number" && Number.isFinite(ratio) ? `${Math.round(ratio * 100)}%` : UNKNOWN;
}

/** Bits per second in the configuration's units, three digits: `1Gbps`, `428Mbps`, `1.25Gbps`. */
export function bitRate(bitsPerSecond: number): string {
  let value = bitsPerSecond;
  for (const unit of ["bps", "kbps", "Mbps", "Gbps"]) {
    if (value < 999.5) return `${Number(value.toPrecision(3))}${unit}`;
    value /= 1000;
  }
  return `${Number(value.toPrecision(3))}Tbps`;
}

/** How long, in the largest whole unit: `0s`, `45s`, `12m`, `5h`, `3d`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** Measured time: `0.4ms`, `12ms`, `1.2s`. */
export function elapsed(milliseconds: number): string {
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(1)}s`;
  return milliseconds < 10 ? `${milliseconds.toFixed(1)}ms` : `${Math.round(milliseconds)}ms`;
}

/** Local time, as `2030-01-31 18:00`. */
export function localTime(epochMs: number): string {
  const date = new Date(epochMs);
  if (Number.isNaN(date.getTime())) return UNKNOWN;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

function two(n: number): string {
  return String(n).padStart(2, "0");
}
