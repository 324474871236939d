import { MergeSort } from "./merge-sort.ts";

/** The best candidates so far, best first, in room that is used again for every choice. */
export class Kept {
  /** By rank: index, distance, score and, where scores are equal, what decides then. */
  readonly edges: Uint16Array;
  readonly km: Float64Array;
  readonly scores: Float64Array;
  readonly lots: Float64Array;
  count = 0;
  readonly #sort: MergeSort;
  readonly #sorted: Float64Array;
  #most = 0;
  #band = 0;
  #share = 0;

  /** @param room the most that are ever kept */
  constructor(room: number) {
    this.edges = new Uint16Array(room);
    this.km = new Float64Array(room);
    this.scores = new Float64Array(room);
    this.lots = new Float64Array(room);
    this.#sort = new MergeSort(room);
    this.#sorted = new Float64Array(room);
  }

  /**
   * @param most how many are wanted
   * @param band who is worse than the last of them by no more than this is kept too,
   * @param share or by no more than this share of the best's score
   */
  begin(most: number, band: number, share = 0): void {
    this.count = 0;
    this.#most = most;
    this.#band = band;
    this.#share = share;
  }

  /** Whether nobody with this score, or a higher one, would be kept. */
  isBeyond(score: number): boolean {
    if (this.count < this.#most) return false;
    const last = this.scores[this.#most - 1] as number;
    return score > last + this.#band && score > last + this.#share * (this.scores[0] as number);
  }

  /** Gives one a lead over all: it becomes the first. */
  promote(rank: number, lead: number): void {
    const [edge, km] = [this.edges[rank] as number, this.km[rank] as number];
    const [score, lot] = [this.scores[rank] as number, this.lots[rank] as number];
    for (let at = rank; at > 0; at--) this.#move(at - 1, at);
    this.edges[0] = edge;
    this.km[0] = km;
    this.scores[0] = score - lead;
    this.lots[0] = lot;
  }

  /** The lower the score, the better; then the lower the distance, where it is known; then the lower the lot. */
  add(edge: number, km: number, score: number, lot: number): void {
    if (this.isBeyond(score)) return;
    let at = this.count++;
    for (; at > 0 && this.#isWorse(at - 1, km, score, lot); at--) this.#move(at - 1, at);
    this.edges[at] = edge;
    this.km[at] = km;
    this.scores[at] = score;
    this.lots[at] = lot;
  }

  /** Orders who is within `band` of a group's best by lot instead of by score. */
  spread(band: number, lotOf: (edge: number) => number): void {
    for (let start = 0; start < Math.min(this.count, this.#most); ) {
      const best = this.scores[start] as number;
      let end = start + 1;
      while (end < this.count && (this.scores[end] as number) - best <= band) end++;
      if (end - start > 1) this.#sortByLot(start, end, lotOf);
      start = end;
    }
  }

  #sortByLot(start: number, end: number, lotOf: (edge: number) => number): void {
    for (let i = start; i < end; i++) this.lots[i] = lotOf(this.edges[i] as number);
    if (end - start > FEW) return this.#sortMany(start, end);
    for (let i = start + 1; i < end; i++) {
      const [edge, km, score] = [this.edges[i] as number, this.km[i] as number, this.scores[i] as number];
      const lot = this.lots[i] as number;
      let at = i;
      for (; at > start && (this.lots[at - 1] as number) > lot; at--) this.#move(at - 1, at);
      this.edges[at] = edge;
      this.km[at] = km;
      this.scores[at] = score;
      this.lots[at] = lot;
    }
  }

  /** The same order, where to move each past half of the others would take too long. */
  #sortMany(start: number, end: number): void {
    const order = this.#sort.order(this.lots, start, end);
    const count = end - start;
    for (const column of [this.edges, this.km, this.scores, this.lots]) {
      for (let i = 0; i < count; i++) this.#sorted[i] = column[order[i] as number] as number;
      for (let i = 0; i < count; i++) column[start + i] = this.#sorted[i] as number;
    }
  }

  #isWorse(at: number, km: number, score: number, lot: number): boolean {
    const other = this.scores[at] as number;
    if (other !== score) return other > score;
    const [otherKm, otherLot] = [this.km[at] as number, this.lots[at] as number];
    return otherKm === km || Number.isNaN(km) ? otherLot > lot : otherKm > km;
  }

  #move(from: number, to: number): void {
    this.edges[to] = this.edges[from] as number;
    this.km[to] = this.km[from] as number;
    this.scores[to] = this.scores[from] as number;
    this.lots[to] = this.lots[from] as number;
  }
}

/** Of so many each is soon moved into its place. */
const FEW = 32;
