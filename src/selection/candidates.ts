import type { Location } from "../model/location.ts";
import type { Nearest } from "./nearest.ts";
import { KEPT_EDGES } from "./nearest-table.ts";
import type { Roster } from "./roster.ts";

/**
 * The edges of a service as one viewer sees them, to be looked at from the first on. One object per field, set
 * again for each choice.
 */
export class Candidates {
  readonly #nearest: Nearest;
  #roster: Roster | undefined;
  #latitude = 0;
  #longitude = 0;
  #edges: Uint16Array = new Uint16Array(0);
  #km: Float32Array = new Float32Array(0);
  #ownEdges: Uint16Array = new Uint16Array(0);
  #ownKm: Float32Array = new Float32Array(0);
  #start = 0;
  /** How many are there already; the others are found when they are looked at. */
  #known = 0;
  count = 0;
  /** Whether whoever comes later is further away. */
  areSorted = false;

  constructor(nearest: Nearest) {
    this.#nearest = nearest;
  }

  /** Nearest first; in the listed order where nobody knows how near they are. */
  byDistance(roster: Roster, location: Location): void {
    const { latitude, longitude } = location;
    if (latitude === undefined || longitude === undefined) return this.asListed(roster, location);
    this.around(roster, Math.fround(latitude), Math.fround(longitude));
  }

  /**
   * Nearest first.
   * @param latitude of 32 bits, as is the other: two metres at most from where it was; so a place that was kept is
   * the same place
   */
  around(roster: Roster, latitude: number, longitude: number): void {
    this.#roster = roster;
    this.#latitude = latitude;
    this.#longitude = longitude;
    this.count = roster.listed.length;
    this.areSorted = true;
    this.#known = Math.min(this.count, KEPT_EDGES);
    this.#start = this.#nearest.rowOf(roster.pool, latitude, longitude);
    this.#edges = this.#nearest.edges;
    this.#km = this.#nearest.km;
  }

  /** In the order that `failover` keeps. */
  asListed({ listed }: Pick<Roster, "listed">, { latitude, longitude }: Location): void {
    this.#makeRoom(listed.length);
    this.count = this.#known = listed.length;
    this.areSorted = false;
    this.#start = 0;
    this.#edges = listed;
    this.#km = this.#ownKm;
    if (latitude === undefined || longitude === undefined) this.#km.fill(Number.NaN);
    else this.#nearest.measure(listed, latitude, longitude, this.#km);
  }

  /** Index of the i-th, 0 to `count - 1`. */
  edgeAt(i: number): number {
    if (i >= this.#known) this.#sortAll();
    return this.#edges[this.#start + i] as number;
  }

  /** Great-circle kilometres of the i-th; NaN when the viewer cannot be located. */
  kmAt(i: number): number {
    if (i >= this.#known) this.#sortAll();
    return this.#km[this.#start + i] as number;
  }

  #sortAll(): void {
    const { pool } = this.#roster as Roster;
    this.#makeRoom(this.count);
    this.#nearest.sortAll(pool, this.#latitude, this.#longitude, this.#ownEdges, this.#ownKm);
    this.#edges = this.#ownEdges;
    this.#km = this.#ownKm;
    this.#start = 0;
    this.#known = this.count;
  }

  #makeRoom(count: number): void {
    if (this.#ownEdges.length >= count) return;
    this.#ownEdges = new Uint16Array(count);
    this.#ownKm = new Float32Array(count);
  }
}
