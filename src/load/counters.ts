/** Counters of one server, as they were at one moment, and how fast they moved until then. */
export interface Counters {
  readonly moment: Moment;
  readonly values: Amounts;
  /** Per second; none in the first reading, and none after whatever makes the difference meaningless. */
  readonly rates: Amounts;
  /** Why there are no rates. */
  readonly gap?: "first" | "restart" | "clock" | "frozen";
}

export type Amounts = { readonly [name: string]: number };

/** When counters had their values. */
export interface Moment {
  /** Monotonic, ours. */
  readonly receivedAtMs: number;
  /** The server's own clock: it knows nothing of the way here, and shows when a reply is an old one. */
  readonly clockMs?: number;
  /** Differs from one life of the server to the next: a process, a time of start. */
  readonly life?: string | number;
  /** Falls when the server starts anew. */
  readonly uptime?: number;
}

/** A server's clock may run away from ours by this much between two readings, since its reply may be cached. */
const CLOCK_TOLERANCE_MS = 10_000;
/** The same figures for longer than this are no longer those of now. */
const FROZEN_AFTER_MS = 30_000;

/** Where the counters stand now, and how fast they came here from `before`. */
export function advance(before: Counters | undefined, values: Amounts, moment: Moment): Counters {
  if (before === undefined) return { moment, values, rates: {}, gap: "first" };
  const { moment: last } = before;
  if (last.life !== moment.life || (last.uptime ?? 0) > (moment.uptime ?? 0))
    return { moment, values, rates: {}, gap: "restart" };
  const receivedMs = moment.receivedAtMs - last.receivedAtMs;
  const elapsedMs = elapsedBetween(last, moment);
  if (elapsedMs === 0) return receivedMs > FROZEN_AFTER_MS ? { ...before, rates: {}, gap: "frozen" } : before;
  if (elapsedMs < 0 || Math.abs(elapsedMs - receivedMs) > CLOCK_TOLERANCE_MS)
    return { moment, values, rates: {}, gap: "clock" };
  const names = Object.keys(values).filter((name) => before.values[name] !== undefined);
  if (names.some((name) => difference(name, values, before.values) < 0))
    return { moment, values, rates: {}, gap: "restart" };
  const rates = names.map((name) => [name, difference(name, values, before.values) / (elapsedMs / 1000)]);
  return { moment, values, rates: Object.fromEntries(rates) as Amounts };
}

/** The sum of the rates of counters, per second; undefined while one of them has none. */
export function rateOf({ values, rates }: Counters, names = Object.keys(values)): number | undefined {
  const found = names.map((name) => rates[name] ?? Number.NaN);
  const sum = found.reduce((a, b) => a + b, 0);
  return names.length === 0 || Number.isNaN(sum) ? undefined : sum;
}

function elapsedBetween(last: Moment, now: Moment): number {
  return last.clockMs === undefined || now.clockMs === undefined
    ? now.receivedAtMs - last.receivedAtMs
    : now.clockMs - last.clockMs;
}

function difference(name: string, values: Amounts, before: Amounts): number {
  return (values[name] ?? Number.NaN) - (before[name] ?? Number.NaN);
}
