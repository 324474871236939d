import { type Clock, systemClock } from "../base/clock.ts";
import type { ChallengeValues, ChallengeView } from "../model/acme.ts";

/**
 * Values that certificate authorities look for, each until it expires. They are for minutes, so nothing of them is
 * kept over a restart: a client whose order fails then sets them again. A process that replaces this one is told them.
 */
export interface Challenges {
  /** Beside those that are there; the same value again lasts anew. */
  add(hostname: string, value: string, until: Expiry): "set" | "too-many";
  /** As acme-dns does: the newest and the one before it stay. */
  replaceOldest(hostname: string, value: string, until: Expiry): void;
  /** One value, or all; returns how many are gone. */
  remove(hostname: string, value?: string): number;
  list(): ChallengeView[];
  values(): ChallengeValues;
  /** What another process has to know to go on, newest first. */
  memory(): readonly RememberedChallenge[];
  /** Goes on with what another process knew, instead of what is here. */
  remember(memory: readonly RememberedChallenge[]): void;
  /** Forgets hostnames that are proved here no longer. */
  keep(isOurs: (hostname: string) => boolean): void;
  stop(): void;
}

/** Plain data. */
export interface RememberedChallenge {
  readonly hostname: string;
  readonly value: string;
  readonly until: Expiry;
}

export interface Expiry {
  readonly by: string;
  /** How long from now, milliseconds. */
  readonly lastsMs: number;
}

export interface ChallengesOptions {
  readonly clock?: Clock;
  /** Told at once of every change, with all values. */
  readonly onChange: (values: ChallengeValues) => void;
}

/** More than any order needs; together they fit a TCP answer. */
const MOST_VALUES = 50;
/** Both of a wildcard and its base name, which are proved at the same place. */
const KEPT_BY_ACME_DNS = 2;

export const CHALLENGE_LABEL = "_acme-challenge";

export function createChallenges({ clock = systemClock, onChange }: ChallengesOptions): Challenges {
  let held: readonly Held[] = [];
  let cancelExpiry: (() => void) | undefined;

  const put = (next: readonly Held[]): void => {
    held = next;
    cancelExpiry?.();
    const first = Math.min(...held.map(({ endsAtMs }) => endsAtMs));
    cancelExpiry = held.length === 0 ? undefined : clock.after(first - clock.monotonicMs(), expire);
    onChange(valuesOf(held));
  };
  const expire = (): void => put(held.filter(({ endsAtMs }) => endsAtMs > clock.monotonicMs()));
  const made = (hostname: string, value: string, { by, lastsMs }: Expiry): Held => ({
    hostname,
    value,
    by,
    endsAtMs: clock.monotonicMs() + lastsMs,
    untilMs: clock.wallMs() + lastsMs,
  });
  const others = (hostname: string, value?: string): Held[] =>
    held.filter((one) => one.hostname !== hostname || (value !== undefined && one.value !== value));

  return {
    add(hostname, value, until) {
      const rest = others(hostname, value);
      if (rest.filter((one) => one.hostname === hostname).length >= MOST_VALUES) return "too-many";
      put([made(hostname, value, until), ...rest]);
      return "set";
    },
    replaceOldest(hostname, value, until) {
      const newest = held
        .filter((one) => one.hostname === hostname && one.value !== value)
        .slice(0, KEPT_BY_ACME_DNS - 1);
      put([made(hostname, value, until), ...newest, ...others(hostname)]);
    },
    remove(hostname, value) {
      const rest = others(hostname, value);
      const gone = held.length - rest.length;
      if (gone > 0) put(rest);
      return gone;
    },
    list: () =>
      [...valuesOf(held).keys()].toSorted().map((hostname) => ({
        hostname,
        name: `${CHALLENGE_LABEL}.${hostname}`,
        values: held
          .filter((one) => one.hostname === hostname)
          .map(({ value, by, untilMs }) => ({ value, by, untilMs })),
      })),
    values: () => valuesOf(held),
    memory: () =>
      held.map(({ hostname, value, by, endsAtMs }) => ({
        hostname,
        value,
        until: { by, lastsMs: endsAtMs - clock.monotonicMs() },
      })),
    remember(memory) {
      put(memory.map(({ hostname, value, until }) => made(hostname, value, until)));
    },
    keep(isOurs) {
      const rest = held.filter(({ hostname }) => isOurs(hostname));
      if (rest.length < held.length) put(rest);
    },
    stop: () => cancelExpiry?.(),
  };
}

interface Held {
  readonly hostname: string;
  readonly value: string;
  readonly by: string;
  /** Monotonic: a wall clock that jumps ends none. */
  readonly endsAtMs: number;
  readonly untilMs: number;
}

function valuesOf(held: readonly Held[]): ChallengeValues {
  const values = new Map<string, string[]>();
  for (const { hostname, value } of held) values.set(hostname, [...(values.get(hostname) ?? []), value]);
  return values;
}
