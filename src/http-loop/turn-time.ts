import type { Clock } from "../base/clock.ts";
import { type Afterwards, tailText } from "./answer-text.ts";

/** What time it is: the same for all that is done in one turn. */
export class TurnTime {
  /** Monotonic, milliseconds. */
  nowMs: number;
  /** What answers say of a connection that is kept. */
  readonly keep: Afterwards;
  /** Ends of answers' headers, with the second that it is, by what an answer says of its connection. */
  tails: Readonly<Record<Afterwards["kind"], string>> = { keep: "", close: "" };
  readonly #clock: Pick<Clock, "monotonicMs" | "wallMs">;
  #second = -1;

  constructor(clock: Pick<Clock, "monotonicMs" | "wallMs">, keep: Afterwards) {
    this.#clock = clock;
    this.keep = keep;
    this.nowMs = clock.monotonicMs();
    this.look();
  }

  /** Looks at the clock. */
  look(): void {
    this.nowMs = this.#clock.monotonicMs();
    const wallMs = this.#clock.wallMs();
    const second = Math.floor(wallMs / 1000);
    if (second === this.#second) return;
    this.#second = second;
    const date = new Date(wallMs).toUTCString();
    this.tails = { keep: tailText(date, this.keep), close: tailText(date, CLOSE) };
  }
}

export const CLOSE: Afterwards = { kind: "close" };
