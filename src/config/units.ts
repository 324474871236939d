const millisecondsIn: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const bitsPerSecondIn: Readonly<Record<string, number>> = {
  bps: 1,
  kbps: 1e3,
  Mbps: 1e6,
  Gbps: 1e9,
  Tbps: 1e12,
};

/** Milliseconds of `500ms`, `5s`, `10m`, `1h`; decimals are allowed. */
export function parseDuration(text: string): number | undefined {
  return measure(text, millisecondsIn);
}

/** As `parseDuration` reads it, in the largest unit that needs no fraction. @param milliseconds whole */
export function formatDuration(milliseconds: number): string {
  const [unit, factor] = Object.entries(millisecondsIn).findLast(
    ([, factor]) => milliseconds % factor === 0,
  ) ?? ["ms", 1];
  return `${milliseconds / factor}${unit}`;
}

/** Bits per second of `800Mbps`, `1.5Gbps`; also bps, kbps and Tbps. */
export function parseBitRate(text: string): number | undefined {
  return measure(text, bitsPerSecondIn);
}

/** The unit is matched exactly: `Mbps` and `MBps` are eight apart. */
function measure(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,6})?)([A-Za-z]+)$/.exec(text);
  const factor = Object.hasOwn(units, match?.[2] ?? "") ? units[match?.[2] as string] : undefined;
  return match === null || factor === undefined ? undefined : Number(match[1]) * factor;
}
