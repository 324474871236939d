import type { Clock } from "../base/clock.ts";
import { afterRunning } from "../base/running-time.ts";
import type { LiveMemory } from "./live.ts";
import { ProbeError, type ProbeResult, probeErrorOf, type Step } from "./result.ts";

/** What every probe type is given besides its target. */
export interface ProbeContext {
  readonly clock: Clock;
  /** Gives up. */
  readonly signal?: AbortSignal;
  /** How long our own event loop has stood still so far; that time is not the edge's fault. */
  readonly stalledMs?: () => number;
  /** PEM; instead of those that Node trusts. */
  readonly certificateAuthorities?: string;
  /** What the last probe of this target left. */
  readonly memory?: LiveMemory;
  /** Asks as the player of a redirected viewer would, and notes what would break it. */
  readonly asPlayer?: boolean;
}

/** What a probe type reports to while it runs. */
export interface Attempt {
  /** Names and times one step. */
  readonly step: <T>(name: Step["name"], act: () => Promise<T>) => Promise<T>;
  /** Called whichever way the attempt ends. */
  readonly atEnd: (close: () => void) => void;
  /** For the next probe of the same target. */
  readonly remember: (memory: LiveMemory) => void;
  /** The same note twice counts once. */
  readonly note: (text: string) => void;
}

/**
 * Runs `act` within `timeoutMs` of a running event loop, and turns whatever it throws into a result.
 * Never rejects; everything given to `atEnd` is closed when it resolves.
 */
export async function attempt(
  timeoutMs: number,
  context: ProbeContext,
  act: (attempt: Attempt) => Promise<void>,
): Promise<ProbeResult> {
  const { clock } = context;
  const stopwatch = startStopwatch(clock);
  const closers: (() => void)[] = [];
  const atEnd = (close: () => void): void => void closers.push(close);
  const { kept, remember, note } = startNotebook();
  try {
    const ended = givenUp(timeoutMs, context, atEnd);
    await Promise.race([act({ step: stopwatch.step, atEnd, remember, note }), ended]);
    return { ok: true, ...stopwatch.seen(), ...kept() };
  } catch (error) {
    const { reason, detail } = probeErrorOf(error);
    return { ok: false, reason, ...(detail === undefined ? {} : { detail }), ...stopwatch.seen(), ...kept() };
  } finally {
    for (const close of closers) close();
  }
}

function startStopwatch(clock: Clock): {
  readonly step: Attempt["step"];
  readonly seen: () => { durationMs: number; steps: Step[] };
} {
  const startMs = clock.monotonicMs();
  const done: Step[] = [];
  let current: { name: Step["name"]; startMs: number } | undefined;
  const finished = (): Step[] =>
    current === undefined ? [] : [{ name: current.name, ms: clock.monotonicMs() - current.startMs }];
  return {
    async step(name, act) {
      current = { name, startMs: clock.monotonicMs() };
      const value = await act();
      done.push(...finished());
      current = undefined;
      return value;
    },
    seen: () => ({ durationMs: clock.monotonicMs() - startMs, steps: [...done, ...finished()] }),
  };
}

function startNotebook(): Pick<Attempt, "remember" | "note"> & {
  readonly kept: () => Pick<ProbeResult, "notes" | "memory">;
} {
  const notes = new Set<string>();
  let memory: LiveMemory | undefined;
  return {
    remember: (newest) => {
      memory = newest;
    },
    note: (text) => void notes.add(text),
    kept: () => ({
      ...(notes.size === 0 ? {} : { notes: [...notes] }),
      ...(memory === undefined ? {} : { memory }),
    }),
  };
}

/** Rejects at the deadline, which our own standstills put off, or at the caller's signal. */
function givenUp(
  timeoutMs: number,
  context: ProbeContext,
  atEnd: (close: () => void) => void,
): Promise<never> {
  const { signal } = context;
  return new Promise((_, reject) => {
    const cancel = afterRunning(timeoutMs, context, () => reject(new ProbeError("timeout")));
    const abort = () => reject(new ProbeError("cancelled"));
    if (signal?.aborted === true) abort();
    signal?.addEventListener("abort", abort);
    atEnd(() => {
      cancel();
      signal?.removeEventListener("abort", abort);
    });
  });
}
