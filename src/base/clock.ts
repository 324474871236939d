/** Time as a parameter, so that hours pass in a test at once. */
export interface Clock {
  /** Milliseconds from an arbitrary start; never jumps. For intervals, expiry and hysteresis. */
  monotonicMs(): number;
  /** Milliseconds since 1970; may jump. For what people read. */
  wallMs(): number;
  /** Calls `act` once, when at least `delayMs` have passed; returns the way to cancel. */
  after(delayMs: number, act: () => void): () => void;
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: startTimer,
};

/** The longest that setTimeout takes. */
const LONGEST_MS = 2 ** 31 - 1;

/** setTimeout counts from the start of the event loop's turn, so in a long turn it fires early: then it waits on. */
function startTimer(delayMs: number, act: () => void): () => void {
  const dueMs = performance.now() + delayMs;
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    timer = setTimeout(
      () => {
        if (dueMs - performance.now() > 1) wait();
        else act();
      },
      Math.min(Math.max(0, dueMs - performance.now()), LONGEST_MS),
    );
  };
  wait();
  return () => clearTimeout(timer);
}
