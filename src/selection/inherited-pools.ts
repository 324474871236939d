import type { Edge } from "../model/edge.ts";
import type { UnitVector } from "../base/sphere.ts";

/** What is known of a pool's places by the pool that it was in the inventory before. */
export interface Heritage {
  /** The number of that pool. */
  readonly id: number;
  /** How many edges that had. */
  readonly sizeBefore: number;
  /** Who is in it now and was not, by index. */
  readonly newcomers: Uint16Array;
}

/** Pools of the inventory before one in which edges have come, gone or moved. */
export class InheritedPools {
  /** By index in the inventory before: the index now; -1: the edge is gone, or elsewhere. */
  readonly indexNow: Int32Array;
  /** The other way round. */
  readonly #indexBefore: Int32Array;
  readonly #pools: ReadonlyMap<string, PoolBefore>;
  /** By those of their members who are there still; each has one heir at most. */
  #left: Map<string, PoolBefore> | undefined;

  private constructor(indexNow: Int32Array, count: number, pools: ReadonlyMap<string, PoolBefore>) {
    this.indexNow = indexNow;
    this.#indexBefore = new Int32Array(count).fill(GONE);
    indexNow.forEach((now, before) => {
      if (now !== GONE) this.#indexBefore[now] = before;
    });
    this.#pools = pools;
  }

  /** @param pools by any name; they are looked at when the first heir is looked for */
  static of(
    before: readonly PlacedEdge[],
    all: readonly PlacedEdge[],
    pools: ReadonlyMap<string, PoolBefore>,
  ): InheritedPools | undefined {
    const indexById = new Map(all.map(({ id }, index) => [id, index]));
    const indexNow = Int32Array.from(before, ({ id, vector }) => {
      const index = indexById.get(id);
      return index !== undefined && isSame(vector, (all[index] as PlacedEdge).vector) ? index : GONE;
    });
    const isAnyKept = indexNow.some((now) => now !== GONE);
    return isAnyKept ? new InheritedPools(indexNow, all.length, pools) : undefined;
  }

  /** @param members indices in ascending order */
  take(members: readonly number[]): Heritage | undefined {
    const stayed = members.map((now) => this.#indexBefore[now] as number).filter((was) => was !== GONE);
    const left = (this.#left ??= this.#allLeft());
    // In their order now, which has to be that of before: of edges at one distance, the first comes first.
    const key = stayed.join(" ");
    const pool = left.get(key);
    if (pool === undefined || stayed.length === 0) return undefined;
    left.delete(key);
    const newcomers = Uint16Array.from(members.filter((now) => this.#indexBefore[now] === GONE));
    return { id: pool.id, sizeBefore: pool.members.length, newcomers };
  }

  #allLeft(): Map<string, PoolBefore> {
    const stays = (was: number): boolean => this.indexNow[was] !== GONE;
    return new Map([...this.#pools.values()].map((pool) => [pool.members.filter(stays).join(" "), pool]));
  }
}

export const GONE = -1;

export type PlacedEdge = Pick<Edge, "id"> & { readonly vector: UnitVector };

interface PoolBefore {
  readonly id: number;
  readonly members: Uint16Array;
}

export function isSame(a: UnitVector, b: UnitVector): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2];
}
