/**
 * Who should serve whom, if everyone came at once: regions with a demand, edges with a capacity, and the
 * distance between them.
 */
export interface Transport {
  /** Viewers to be placed, by region. */
  readonly demand: Float64Array;
  /** Viewers that an edge can take, by edge; Infinity: no limit; 0: none. */
  readonly capacity: Float64Array;
  /** Kilometres, regions × edges, row by row; Infinity: that edge may not serve that region. */
  readonly distanceKm: Float32Array;
  /** For each region the edges by rising distance, in rows like `distanceKm`. */
  readonly order: Uint16Array;
}

export interface Solution {
  /** Kilometres by edge; 0 for an edge that has room left. */
  readonly priceKm: Float64Array<ArrayBuffer>;
  /** Viewers placed, by edge. */
  readonly load: Float64Array;
}

/** How far from its best edge a region may end up: the total is within this, per viewer, of the optimum. */
const EPSILON_KM = 15;
/** Without prices to begin at, they are found in ever smaller steps, each beginning so many of its steps lower. */
const COARSE_STEPS_KM = [16 * EPSILON_KM, 4 * EPSILON_KM];
const COARSE_RATIO = 8;
/** Looks at a price, after which prices are taken as they are; the next solution goes on from them. */
const STEPS_MAX = 12_000_000;
/** What else a bid costs, in looks. */
const BID_STEPS = 30;
/**
 * No price needs to be higher, unless some edges cannot hold those who have no others: half the Earth's
 * circumference.
 */
const PRICE_MAX_KM = 20_000;
/** More demand than room has no solution: it is scaled down to this share of the room. */
const USABLE_SHARE = 0.995;
/** Demand smaller than this share of all is not worth a bid. */
const DUST_SHARE = 1e-7;

/**
 * Places every region's demand at the least total of distances, and gives the dual variables: the prices at
 * which each region, going where distance plus price is least, fills no edge beyond its capacity.
 *
 * An auction (Bertsekas and Castañon 1989, for transportation): a region without a place bids for the edge
 * that is best for it, as much as makes its second best equal; a full edge keeps the highest bids, its price
 * is the lowest of them, and whoever was outbid bids again. From low prices up, so that an edge with room is free.
 *
 * @param startKm prices by edge to begin at: no price ends below. The nearer to the solution from below, the sooner
 * it is done.
 */
export function solve(transport: Transport, startKm?: Float64Array): Solution {
  const problem = { ...transport, demand: feasible(transport) };
  const budget = { left: STEPS_MAX };
  if (startKm !== undefined) return auction(problem, startKm.slice(), EPSILON_KM, budget);
  let priceKm = new Float64Array(transport.capacity.length);
  for (const epsilonKm of COARSE_STEPS_KM) {
    const rough = auction(problem, priceKm, epsilonKm, budget);
    priceKm = rough.priceKm.map((price) => Math.max(0, price - epsilonKm * COARSE_RATIO));
  }
  return auction(problem, priceKm, EPSILON_KM, budget);
}

/** Raises `priceKm` until everyone has a place, or the budget is spent. */
function auction(
  transport: Transport,
  priceKm: Float64Array<ArrayBuffer>,
  epsilonKm: number,
  budget: { left: number },
): Solution {
  const { capacity, demand } = transport;
  const load = new Float64Array(capacity.length);
  const held = Array.from(capacity, () => new Lots());
  const waiting = new Float64Array(demand);
  const dust = DUST_SHARE * demand.reduce((sum, d) => sum + d, 0);
  const queue = Array.from(demand.keys()).filter((region) => (demand[region] as number) > dust);
  const best: Best = { edge: -1, marginKm: 0 };
  for (let head = 0; head < queue.length && budget.left > 0; head++) {
    const region = queue[head] as number;
    const amount = waiting[region] as number;
    if (amount <= dust) continue;
    waiting[region] = 0;
    budget.left -= BID_STEPS + findBest(transport, region, priceKm, best);
    if (best.edge < 0) continue;
    const edge = best.edge;
    const lots = held[edge] as Lots;
    lots.add({ region, amount, bidKm: (priceKm[edge] as number) + best.marginKm + epsilonKm });
    load[edge] = (load[edge] as number) + amount;
    for (let over = load[edge] - (capacity[edge] as number); over > dust; ) {
      const lowest = lots.lowest;
      const outbid = Math.min(over, lowest.amount);
      lowest.amount -= outbid;
      if (lowest.amount <= dust) lots.dropLowest();
      if ((waiting[lowest.region] as number) <= dust) queue.push(lowest.region);
      waiting[lowest.region] = (waiting[lowest.region] as number) + outbid;
      over -= outbid;
      load[edge] = load[edge] - outbid;
      // Nobody is left where the room is less than what is worth a bid.
      const { bidKm } = over > dust || lots.isEmpty ? lowest : lots.lowest;
      priceKm[edge] = Math.max(priceKm[edge] as number, bidKm);
    }
  }
  lowerUnbounded(transport, priceKm, epsilonKm);
  return { priceKm, load };
}

/**
 * Where more want some edges than these hold, and have no others, no price is high enough, and the highest would keep
 * everyone away long after. One that those who do have others would not pay is.
 */
function lowerUnbounded(transport: Transport, priceKm: Float64Array, epsilonKm: number): void {
  if (!priceKm.some((price) => price > PRICE_MAX_KM)) return;
  // Those that bid against each other come up together, if not to the same price.
  const isUnbounded = priceKm.map((price) => (price > PRICE_MAX_KM / 2 ? 1 : 0));
  let spareKm = Math.min(...priceKm.filter((_, edge) => isUnbounded[edge] === 1));
  for (let region = 0; region < transport.demand.length; region++) {
    const [there, elsewhere] = cheapestKm(transport, region, priceKm, isUnbounded);
    if (elsewhere < Number.POSITIVE_INFINITY) spareKm = Math.min(spareKm, there - elsewhere - epsilonKm);
  }
  for (const [edge, unbounded] of isUnbounded.entries())
    if (unbounded === 1) priceKm[edge] = (priceKm[edge] as number) - Math.max(0, spareKm);
}

/** Distance and price: among the edges that are marked, and among the others. Infinity: there is none. */
function cheapestKm(
  { capacity, distanceKm }: Transport,
  region: number,
  priceKm: Float64Array,
  marks: Float64Array,
): [number, number] {
  let [marked, others] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const row = region * capacity.length;
  for (let edge = 0; edge < capacity.length; edge++) {
    if (capacity[edge] === 0) continue;
    const score = (distanceKm[row + edge] as number) + (priceKm[edge] as number);
    if (marks[edge] === 1) marked = Math.min(marked, score);
    else others = Math.min(others, score);
  }
  return [marked, others];
}

function feasible({ demand, capacity }: Transport): Float64Array {
  const wanted = demand.reduce((sum, d) => sum + d, 0);
  const room = capacity.reduce((sum, c) => sum + c, 0);
  return wanted > room * USABLE_SHARE ? demand.map((d) => (d * room * USABLE_SHARE) / wanted) : demand;
}

interface Best {
  /** -1: nobody may serve the region. */
  edge: number;
  /** How much dearer the second best is. */
  marginKm: number;
}

/**
 * Prices are never negative, so the search can stop where the distance alone is worse.
 * @returns how many edges were looked at
 */
function findBest(
  { capacity, distanceKm, order }: Transport,
  region: number,
  priceKm: Float64Array,
  found: Best,
): number {
  const edges = capacity.length;
  const row = region * edges;
  let first = PRICE_MAX_KM * 2;
  let second = first;
  found.edge = -1;
  let i = 0;
  for (; i < edges; i++) {
    const edge = order[row + i] as number;
    const away = distanceKm[row + edge] as number;
    if (away >= second) break;
    if (capacity[edge] === 0) continue;
    const score = away + (priceKm[edge] as number);
    if (score < first) {
      second = first;
      first = score;
      found.edge = edge;
    } else if (score < second) second = score;
  }
  found.marginKm = second - first;
  return i;
}

interface Lot {
  readonly region: number;
  amount: number;
  readonly bidKm: number;
}

/** A heap: the lowest bid on top. */
class Lots {
  readonly #heap: Lot[] = [];

  get isEmpty(): boolean {
    return this.#heap.length === 0;
  }

  /** Of one that is not empty. */
  get lowest(): Lot {
    return this.#heap[0] as Lot;
  }

  add(lot: Lot): void {
    const heap = this.#heap;
    let at = heap.push(lot) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((heap[parent] as Lot).bidKm <= lot.bidKm) break;
      heap[at] = heap[parent] as Lot;
      at = parent;
    }
    heap[at] = lot;
  }

  dropLowest(): void {
    const heap = this.#heap;
    const last = heap.pop() as Lot;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as Lot).bidKm < (heap[child] as Lot).bidKm) child++;
      if ((heap[child] as Lot).bidKm >= last.bidKm) break;
      heap[at] = heap[child] as Lot;
      at = child;
    }
    heap[at] = last;
  }
}
