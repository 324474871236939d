/** Arrivals per second are averaged over this long, for what is usual, */
export const SLOW_SECONDS = 900;
/** and over this long by part of the world, to see a crowd gather. */
const FAST_SECONDS = 45;
/** In standard deviations. */
const CHANCE = 2;

/** Arrivals in a part of the world, of late and usually. */
export class Trend {
  /** Per second, over `FAST_SECONDS` and over `SLOW_SECONDS`. */
  #fast = 0;
  #slow = 0;
  /** As `#slow` before the growth that there is. */
  #before = 0;
  #ageSeconds = 0;
  /** How long there has been growth. */
  growingSeconds = 0;

  /** So much time has passed, whose arrivals are added next. */
  pass(seconds: number): void {
    this.#fast *= Math.exp(-seconds / FAST_SECONDS);
    this.#slow *= Math.exp(-seconds / SLOW_SECONDS);
    this.#ageSeconds += seconds;
    const isGrowing = this.growth > 0;
    this.growingSeconds = isGrowing ? this.growingSeconds + seconds : 0;
    if (!isGrowing) this.#before = this.#slow;
  }

  /** Viewers have come in the time that has passed. */
  came(viewers: number): void {
    this.#slow += viewers / SLOW_SECONDS;
    this.#fast += viewers / FAST_SECONDS;
  }

  /** So many a second have come for long. */
  cameLong(perSecond: number): void {
    this.#slow += perSecond;
    this.#fast += perSecond;
    this.#before += perSecond;
    this.#ageSeconds = SLOW_SECONDS;
  }

  /** Of two parts that have become one. */
  add(other: Trend): void {
    this.#fast += other.#fast;
    this.#slow += other.#slow;
    this.#before += other.#before;
    this.#ageSeconds = Math.max(this.#ageSeconds, other.#ageSeconds);
    this.growingSeconds = Math.max(this.growingSeconds, other.growingSeconds);
  }

  /** Nobody knows yet what is usual: who comes looks like a growth. */
  get isYoung(): boolean {
    return this.#ageSeconds < SLOW_SECONDS;
  }

  /** Share of what has come over `SLOW_SECONDS` that is no part of a growth, 0 to 1. */
  get usualShare(): number {
    return this.growth > 0 ? Math.min(1, this.#before / this.#slow) : 1;
  }

  /** How much more comes than did, as a share, below 0 less: as far as it is more than chance. */
  get growth(): number {
    const [fast, slow] = [this.#fast, this.#slow];
    if (slow <= 0) return 0;
    const chance = CHANCE * Math.sqrt(slow / (2 * FAST_SECONDS));
    const more = fast - slow;
    return (Math.sign(more) * Math.max(0, Math.abs(more) - chance)) / slow;
  }
}
