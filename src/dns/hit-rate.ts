/**
 * Says whether to look something up in a cache: where hardly anything is found, looking would only cost. One look in
 * 16 is taken all the same, and tells when that changes.
 */
export class HitRate {
  #credit = MOST_CREDIT;
  #passed = 0;

  /** To be asked before each look; `found` is to be told of those that are taken. */
  isWorthALook(): boolean {
    if (this.#credit > 0) return true;
    this.#passed = (this.#passed + 1) % LOOK_EVERY;
    return this.#passed === 0;
  }

  found(isFound: boolean): void {
    const credit = this.#credit + (isFound ? LOOKS_PER_HIT : -1);
    this.#credit = Math.max(0, Math.min(MOST_CREDIT, credit));
  }
}

/** Less than one found in so many is not worth it. */
const LOOKS_PER_HIT = 16;
const MOST_CREDIT = 1024;
const LOOK_EVERY = 16;
