import { getPriority, setPriority } from "node:os";
import type { Libc } from "./libc.ts";

/**
 * Lets the calling thread come before others as long as it has time to sleep: then it is let in at once, also beside
 * threads that would take all of a processor, and they have what it leaves. One that never sleeps, as in a flood,
 * takes turns with them: probes, the operators' door and a new configuration do not wait for it. Where the process
 * may not ask for that (CAP_SYS_NICE, or RLIMIT_NICE: getrlimit(2)), all stays as it is; where it may ask for less, it
 * asks for as much as it may.
 */
export class Precedence {
  readonly #libc: Pick<Libc, "getrusage">;
  readonly #usage = new Uint8Array(USAGE_OCTETS);
  readonly #sleepsIn = new DataView(this.#usage.buffer);
  readonly #ownNice = getPriority();
  readonly #setNice: (nice: number) => void;
  readonly #steps: number;
  #isFirst = true;
  #turns = 0;
  #sleeps = 0;

  /** @param setNice of the calling thread; throws where it may not */
  constructor(libc: Pick<Libc, "getrusage">, setNice: (nice: number) => void = setPriority) {
    this.#libc = libc;
    this.#setNice = setNice;
    let steps = MOST_STEPS_BEFORE;
    while (steps > 0 && !this.#tryNice(this.#ownNice - steps)) steps--;
    this.#steps = steps;
  }

  /** To be called each time before the thread waits for work. */
  turn(): void {
    if (this.#steps === 0 || ++this.#turns < TURNS_PER_LOOK) return;
    this.#turns = 0;
    const sleeps = this.#sleepsSoFar();
    const hasTime = ((sleeps - this.#sleeps) | 0) >= LEAST_SLEEPS;
    this.#sleeps = sleeps;
    if (hasTime === this.#isFirst) return;
    this.#isFirst = hasTime;
    this.#tryNice(this.#ownNice - (hasTime ? this.#steps : 0));
  }

  /** How often it gave the processor away of its own accord, modulo 2^32. */
  #sleepsSoFar(): number {
    this.#libc.getrusage(RUSAGE_THREAD, this.#usage);
    return this.#sleepsIn.getInt32(SLEEPS_AT, true);
  }

  #tryNice(nice: number): boolean {
    try {
      this.#setNice(Math.max(LOWEST_NICE, nice));
      return true;
    } catch {
      return false;
    }
  }
}

/**
 * Each is a factor of 1.25 in what the thread has beside others that want all they can get (sched(7)): twenty of them
 * leave those a hundredth of it, and what it sleeps.
 */
const MOST_STEPS_BEFORE = 20;
const LOWEST_NICE = -20;

/** A third of a second in a flood. */
const TURNS_PER_LOOK = 64;
const LEAST_SLEEPS = 8;

/** `struct rusage` of 64 bits (getrusage(2)), and where `ru_nvcsw` is in it. */
const USAGE_OCTETS = 144;
const SLEEPS_AT = 128;
const RUSAGE_THREAD = 1;
