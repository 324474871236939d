/** Great-circle distances end at half the circumference of the Earth. */
const LONGEST_KM = 20_100;

/** Distances with weights, to the kilometre for percentiles and exact for the mean. */
export class Distances {
  #weightByKm = new Float64Array(LONGEST_KM);
  #weight = 0;
  #sum = 0;

  /** @param {number} km @param {number} weight */
  add(km, weight) {
    this.#weightByKm[Math.floor(km)] += weight;
    this.#weight += weight;
    this.#sum += km * weight;
  }

  /** Of everything added; 0 for nothing. */
  get weight() {
    return this.#weight;
  }

  get meanKm() {
    return this.#weight > 0 ? this.#sum / this.#weight : 0;
  }

  /** @param {number} part 0..1 */
  percentileKm(part) {
    let left = this.#weight * part;
    for (let km = 0; km < LONGEST_KM; km++) {
      left -= this.#weightByKm[km];
      if (left <= 0 && this.#weightByKm[km] > 0) return km + 0.5;
    }
    return 0;
  }
}
