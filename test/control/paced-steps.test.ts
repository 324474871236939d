import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createPacedSteps } from "../../src/control/paced-steps.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const PAUSE_MS = 2;

/** Work in as many steps as the word has letters: each is written down, and a full stop when it is told to be done. */
function pacedLetters() {
  let written = "";
  const paced = createPacedSteps(PAUSE_MS, () => (written += "."));
  const begin = (word: string): void =>
    paced.begin(function* () {
      for (const letter of word) {
        written += letter;
        yield;
      }
    });
  return { ...paced, begin, written: () => written };
}

it("pauses before each step, and tells when all are done", () => {
  const { begin, written } = pacedLetters();
  begin("abc");
  expect(written()).toBe("");
  vi.advanceTimersByTime(2 * PAUSE_MS);
  expect(written()).toBe("ab");
  vi.advanceTimersByTime(2 * PAUSE_MS);
  expect(written()).toBe("abc.");
});

it("does the rest at once where that is wanted, and does not tell of it", () => {
  const { begin, finish, written } = pacedLetters();
  begin("abc");
  vi.advanceTimersByTime(PAUSE_MS);
  finish();
  expect(written()).toBe("abc");
  vi.advanceTimersByTime(10 * PAUSE_MS);
  expect(written()).toBe("abc");
});

it("finishes what is under way before it begins anew", () => {
  const { begin, written } = pacedLetters();
  begin("abc");
  begin("de");
  expect(written()).toBe("abc");
  vi.advanceTimersByTime(10 * PAUSE_MS);
  expect(written()).toBe("abcde.");
});

it("leaves the rest undone when it is stopped", () => {
  const { begin, stop, written } = pacedLetters();
  begin("abc");
  vi.advanceTimersByTime(PAUSE_MS);
  stop();
  vi.advanceTimersByTime(10 * PAUSE_MS);
  expect(written()).toBe("a");
});
