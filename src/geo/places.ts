import { widthOf } from "../base/address.ts";
import type { Address, Family } from "../model/address.ts";
import type { Place } from "../model/inventory.ts";
import type { Location } from "../model/location.ts";
import { continentOf } from "./record.ts";

/** What the operator's networks say of an address. */
export interface PlaceMatch {
  /** Absent where no network holds the known bits of the address. */
  readonly place?: Place;
  readonly location?: Location;
  /** The match holds for every address that shares this many leading bits. */
  readonly depth: number;
}

/** The operator's networks, ready for look-up. */
export interface PlaceTable {
  /**
   * The longest network that contains the first `prefixLength` bits of the address. A longer network
   * under them does not match, since only part of the client is known to lie in it, but `depth` reaches
   * far enough to tell it apart.
   */
  find(address: Address, prefixLength: number): PlaceMatch;
}

/** Of two places with the same network the later one counts. */
export function placeTable(places: readonly Place[]): PlaceTable {
  const tries = { 4: trieOf(4, places), 6: trieOf(6, places) };
  return { find: (address, prefixLength) => tries[address.family].find(address.bytes, prefixLength) };
}

function trieOf(family: Family, places: readonly Place[]): Trie {
  const own = places.filter((place) => place.prefix.family === family);
  const trie = new Trie(widthOf(family), own.length);
  for (const place of own) trie.insert(place);
  trie.finish();
  return trie;
}

const NONE = -1;
/** How far the table reaches that IPv4 look-ups start from. */
const START_BITS = 16;

/** How far a descent has come; nodes and matches by number. */
interface Progress {
  node: number;
  match: number;
  depth: number;
}

/** By the first 16 bits of an address, where a descent has come with them. */
interface Starts {
  readonly nodes: Int32Array;
  readonly matches: Int32Array;
  readonly depths: Uint8Array;
}

/**
 * A path-compressed binary trie (Morrison's PATRICIA) in typed arrays. A node is a prefix; it either
 * carries a place or parts two children, so that n places need at most 2n nodes.
 */
class Trie {
  readonly #width: number;
  readonly #wordsPerKey: number;
  /** Prefix of each node as big-endian 32-bit words, zero beyond its length. */
  readonly #keys: Uint32Array;
  readonly #lengths: Uint8Array;
  /** Two per node: where the next bit is 0, where it is 1. */
  readonly #children: Int32Array;
  /** By node; a node that only parts its children has none. */
  readonly #matches: (PlaceMatch | undefined)[] = [];
  readonly #asked: Uint32Array;
  readonly #progress: Progress = { node: NONE, match: NONE, depth: 0 };
  readonly #unmatched: readonly PlaceMatch[];
  #starts: Starts | undefined;
  #root = NONE;
  #size = 0;

  constructor(width: number, places: number) {
    this.#width = width;
    this.#wordsPerKey = width / 32;
    const nodes = 2 * places;
    this.#keys = new Uint32Array(nodes * this.#wordsPerKey);
    this.#lengths = new Uint8Array(nodes);
    this.#children = new Int32Array(nodes * 2).fill(NONE);
    this.#asked = new Uint32Array(this.#wordsPerKey);
    this.#unmatched = Array.from({ length: width + 1 }, (_, depth) => ({ depth }));
  }

  find(bytes: Uint8Array, knownBits: number): PlaceMatch {
    if (this.#root === NONE) return this.#unmatched[0] as PlaceMatch;
    this.#ask(bytes);
    this.#start(knownBits);
    this.#descend(knownBits);
    const { match, depth } = this.#progress;
    const found = (match === NONE ? this.#unmatched[depth] : this.#matches[match]) as PlaceMatch;
    return found.depth === depth ? found : { ...found, depth };
  }

  /** After the last place: prepares the table that look-ups start from. */
  finish(): void {
    if (this.#root === NONE || this.#width !== 32) return;
    const heads = 1 << START_BITS;
    const starts = {
      nodes: new Int32Array(heads),
      matches: new Int32Array(heads),
      depths: new Uint8Array(heads),
    };
    this.#fill(starts, { node: this.#root, match: NONE, depth: 0 }, 0, heads);
    this.#starts = starts;
  }

  /** Heads from `low` to `high` start here, but for those that get further. */
  #fill(starts: Starts, { node, match, depth }: Progress, low: number, high: number): void {
    starts.nodes.fill(node, low, high);
    starts.matches.fill(match, low, high);
    starts.depths.fill(depth, low, high);
    const length = node === NONE ? START_BITS : (this.#lengths[node] as number);
    if (length >= START_BITS) return;
    const first = (this.#keys[node] as number) >>> (32 - START_BITS);
    const half = 1 << (START_BITS - 1 - length);
    const matched = this.#matches[node] === undefined ? match : node;
    for (const bit of [0, 1]) {
      const child = this.#children[2 * node + bit] as number;
      const reached = child === NONE && this.#hasChildren(node) ? length + 1 : length;
      const progress = { node: child, match: matched, depth: reached };
      this.#fill(starts, progress, first + bit * half, first + (bit + 1) * half);
    }
  }

  #start(knownBits: number): void {
    const starts = knownBits < START_BITS ? undefined : this.#starts;
    const head = (this.#asked[0] as number) >>> (32 - START_BITS);
    this.#progress.node = starts === undefined ? this.#root : (starts.nodes[head] as number);
    this.#progress.match = starts === undefined ? NONE : (starts.matches[head] as number);
    this.#progress.depth = starts === undefined ? 0 : (starts.depths[head] as number);
  }

  #descend(knownBits: number): void {
    let { node, match, depth } = this.#progress;
    while (node !== NONE) {
      const length = this.#lengths[node] as number;
      const common = this.#commonBits(node);
      if (common < length) {
        depth = common + 1;
        break;
      }
      depth = length;
      if (length <= knownBits && this.#matches[node] !== undefined) match = node;
      if (length === this.#width) break;
      const next = this.#child(node, length);
      if (next === NONE && this.#hasChildren(node)) depth = length + 1;
      node = next;
    }
    this.#progress.match = match;
    this.#progress.depth = depth;
  }

  insert(place: Place): void {
    const { bytes, length } = place.prefix;
    this.#ask(bytes);
    let parent = NONE;
    let node = this.#root;
    while (node !== NONE && this.#covers(node, length)) {
      if (this.#lengths[node] === length) break;
      parent = node;
      node = this.#child(node, this.#lengths[node] as number);
    }
    const target = this.#place(parent, node, length);
    this.#matches[target] = { place, location: locationOf(place), depth: length };
  }

  /** The node of that length on the asked path between parent and node, made where it is missing. */
  #place(parent: number, node: number, length: number): number {
    if (node === NONE) return this.#attach(parent, this.#add(length));
    const common = Math.min(this.#commonBits(node), length);
    if (common === length && this.#lengths[node] === length) return node;
    const upper = this.#attach(parent, this.#add(common));
    this.#children[2 * upper + this.#bitOf(this.#keys, node * this.#wordsPerKey, common)] = node;
    return common === length ? upper : this.#attach(upper, this.#add(length));
  }

  #add(length: number): number {
    const node = this.#size++;
    this.#lengths[node] = length;
    for (let i = 0; i < this.#wordsPerKey; i++) {
      const bits = Math.min(32, Math.max(0, length - 32 * i));
      const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
      this.#keys[node * this.#wordsPerKey + i] = (this.#asked[i] as number) & mask;
    }
    return node;
  }

  #attach(parent: number, node: number): number {
    if (parent === NONE) this.#root = node;
    else this.#children[2 * parent + this.#bitOf(this.#asked, 0, this.#lengths[parent] as number)] = node;
    return node;
  }

  #ask(bytes: Uint8Array): void {
    for (let i = 0, at = 0; i < this.#wordsPerKey; i++, at += 4) {
      this.#asked[i] =
        ((bytes[at] as number) << 24) |
        ((bytes[at + 1] as number) << 16) |
        ((bytes[at + 2] as number) << 8) |
        (bytes[at + 3] as number);
    }
  }

  #covers(node: number, length: number): boolean {
    const own = this.#lengths[node] as number;
    return own <= length && this.#commonBits(node) === own;
  }

  /** Leading bits that the asked key and the node's share, at most the node's length. */
  #commonBits(node: number): number {
    const length = this.#lengths[node] as number;
    const base = node * this.#wordsPerKey;
    for (let i = 0; i < this.#wordsPerKey; i++) {
      const difference = (this.#asked[i] as number) ^ (this.#keys[base + i] as number);
      if (difference !== 0) return Math.min(length, 32 * i + Math.clz32(difference));
    }
    return length;
  }

  #child(node: number, bit: number): number {
    return this.#children[2 * node + this.#bitOf(this.#asked, 0, bit)] as number;
  }

  #hasChildren(node: number): boolean {
    return this.#children[2 * node] !== NONE || this.#children[2 * node + 1] !== NONE;
  }

  #bitOf(words: Uint32Array, base: number, bit: number): number {
    return ((words[base + (bit >> 5)] as number) >>> (31 - (bit & 31))) & 1;
  }
}

function locationOf(place: Place): Location {
  const { latitude, longitude, country } = place;
  const continent = place.continent ?? continentOf(country);
  return {
    layer: "places",
    latitude,
    longitude,
    ...(country !== undefined && { country }),
    ...(continent !== undefined && { continent }),
  };
}
