/**
 * A table from three whole numbers of 32 bits to one, in memory that threads share. It is filled once; whoever has
 * something new makes another.
 */
export type TripleTable = Int32Array;

export interface TripleEntry {
  readonly key: readonly [number, number, number];
  /** Not 0. */
  readonly value: number;
}

const FIELDS = 4;

/** @param entries no key twice */
export function newTripleTable(entries: readonly TripleEntry[]): TripleTable {
  let places = 16;
  while (places < 2 * entries.length) places *= 2;
  const table = new Int32Array(
    new SharedArrayBuffer(places * FIELDS * Int32Array.BYTES_PER_ELEMENT),
  ) as TripleTable;
  for (const { key, value } of entries) table.set([...key, value], placeOf(table, ...key) * FIELDS);
  return table;
}

/** 0: it is not there. */
export function valueAt(table: TripleTable, a: number, b: number, c: number): number {
  return table[placeOf(table, a, b, c) * FIELDS + 3] as number;
}

/** Where it is, or the free place where it would be. */
function placeOf(table: TripleTable, a: number, b: number, c: number): number {
  const mask = table.length / FIELDS - 1;
  let place = hashOf(a, b, c) & mask;
  for (; ; place = (place + 1) & mask) {
    const at = place * FIELDS;
    if (table[at + 3] === 0) return place;
    if (table[at] === (a | 0) && table[at + 1] === (b | 0) && table[at + 2] === (c | 0)) return place;
  }
}

function hashOf(a: number, b: number, c: number): number {
  let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}
