/**
 * What pricing has learned, for a process that goes on in another one's place: numbers that take minutes to find out
 * anew. Plain data; edges are named by their ids and pools by whom they have, for the other's configuration may be
 * another.
 */
export interface Learned {
  /** As `Stays.memory`. */
  readonly stays: readonly number[];
  /** Kilometres by edge id, of those that have a price. */
  readonly pricesKm: Readonly<Record<string, number>>;
  /** By pool's name. */
  readonly pools: Readonly<Record<string, LearnedPool>>;
}

export interface LearnedPool {
  readonly askers: readonly LearnedAskers[];
  readonly cells: readonly LearnedCell[];
}

/** What answers for a square degree bring. */
export interface LearnedAskers {
  readonly latitude: number;
  readonly longitude: number;
  readonly nameSubnets: boolean;
  /** As a multiple of the average, */
  readonly factor: number;
  /** and how unsure that is. */
  readonly variance: number;
}

/** Who comes from a square degree. */
export interface LearnedCell {
  readonly latitude: number;
  readonly longitude: number;
  /** Arrivals per second. */
  readonly perSecond: number;
  /** Viewers there by edge id: who came by redirects, by resolvers and by those who name a subnet. */
  readonly present: Readonly<Record<string, readonly [number, number, number]>>;
}
