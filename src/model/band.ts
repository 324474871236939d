/** How much worse than the best counts as equal: the wider of the two. */
export interface Band {
  readonly km: number;
  /** Of the best's kilometres, 0..1. */
  readonly share: number;
}
