/** How far the drain of an edge has come: JSON for operators. */
export interface DrainView {
  /** As the edge reports or, where it reports nothing, as steering calls show; left out: nobody knows. */
  readonly viewersLeft?: number;
  /** Players there that ask for steering, and so can be moved. */
  readonly steeredHere: number;
  /** Share of those who can be moved that is told to leave by now, 0..1. */
  readonly movedShare: number;
  /** Wall clock, milliseconds since 1970, by when it is to be empty. */
  readonly deadlineMs?: number;
  /** Wall clock, when it is expected to be empty, by how viewers left so far. */
  readonly emptyAtMs?: number;
  /** Wall clock: until then a DNS answer or redirect that names it may be kept; left out: none is any more. */
  readonly keptUntilMs?: number;
  /** Wall clock: nobody has been left since. */
  readonly emptySinceMs?: number;
}
