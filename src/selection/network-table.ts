import type { Client } from "../model/client.ts";

/**
 * Things kept for networks of clients as wide as resolvers send for client subnet: /24 and /48. What holds for less
 * of the address than that holds for all of a network. A table of bounded size: who is pushed out is found no more.
 */
export class NetworkTable<T> {
  /** By slot: the network's first 32 bits; the next 16 and how many bits are known; the epoch. */
  #keys = new Uint32Array(KEY_FIELDS * FIRST_SLOTS);
  #values: (T | undefined)[] = Array.from({ length: FIRST_SLOTS });
  #stored = 0;
  /** The key of the last network that was looked for, and the first of its slots. */
  #head = 0;
  #rest = 0;
  #first = 0;

  /** @param epoch what was kept in another one is not found */
  find(client: Client, epoch: number): T | undefined {
    this.#look(client, epoch);
    const keys = this.#keys;
    for (let slot = this.#first; slot < this.#first + WAYS; slot++) {
      const at = KEY_FIELDS * slot;
      if (keys[at] === this.#head && keys[at + 1] === this.#rest && keys[at + 2] === epoch)
        return this.#values[slot];
    }
    return undefined;
  }

  /** In place of something else; not where `prefixLength` says that the value holds for a smaller network only. */
  store(client: Client, epoch: number, prefixLength: number, value: T): void {
    if (prefixLength > widestLength(client)) return;
    const slots = this.#values.length;
    if (this.#stored >= slots / 2 && slots < MOST_SLOTS) this.#grow();
    this.#look(client, epoch);
    this.#put(epoch, value);
  }

  clear(): void {
    this.#empty(FIRST_SLOTS);
  }

  #empty(slots: number): void {
    this.#stored = 0;
    this.#keys = new Uint32Array(KEY_FIELDS * slots);
    this.#values = Array.from({ length: slots });
  }

  #put(epoch: number, value: T): void {
    const slot = this.#slotToFill(epoch);
    this.#stored++;
    const at = KEY_FIELDS * slot;
    this.#keys[at] = this.#head;
    this.#keys[at + 1] = this.#rest;
    this.#keys[at + 2] = epoch;
    this.#values[slot] = value;
  }

  /** What is kept moves to a table twice as large. */
  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#empty(2 * values.length);
    for (let slot = 0; slot < values.length; slot++) {
      const value = values[slot];
      if (value === undefined) continue;
      const at = KEY_FIELDS * slot;
      const epoch = keys[at + 2] as number;
      this.#seek(keys[at] as number, keys[at + 1] as number, epoch);
      this.#put(epoch, value);
    }
  }

  /** The network's own, or of the oldest epoch; any, where all are of the same. */
  #slotToFill(epoch: number): number {
    let oldest = this.#first + (this.#stored % WAYS);
    for (let slot = this.#first; slot < this.#first + WAYS; slot++) {
      const at = KEY_FIELDS * slot;
      const own = this.#keys[at] === this.#head && this.#keys[at + 1] === this.#rest;
      if (own && this.#keys[at + 2] === epoch) return slot;
      if ((this.#keys[at + 2] as number) < (this.#keys[KEY_FIELDS * oldest + 2] as number)) oldest = slot;
    }
    return oldest;
  }

  #look(client: Client, epoch: number): void {
    const { family, bytes } = client.address;
    const isIpv4 = family === 4;
    const head =
      ((bytes[0] as number) << 24) |
      ((bytes[1] as number) << 16) |
      ((bytes[2] as number) << 8) |
      (isIpv4 ? 0 : (bytes[3] as number));
    const tail = isIpv4 ? 0 : ((bytes[4] as number) << 8) | (bytes[5] as number);
    const length = Math.min(client.prefixLength, widestLength(client));
    this.#seek(head >>> 0, ((tail << 16) | (family << 8) | length) >>> 0, epoch);
  }

  #seek(head: number, rest: number, epoch: number): void {
    this.#head = head;
    this.#rest = rest;
    let hash = Math.imul(head ^ (head >>> 15), 0x9e3779b1) ^ Math.imul(rest, 0xc2b2ae35);
    hash = Math.imul(hash ^ (hash >>> 15) ^ epoch, 0x85ebca6b);
    this.#first = WAYS * ((hash ^ (hash >>> 13)) & (this.#values.length / WAYS - 1));
  }
}

function widestLength({ address }: Client): number {
  return address.family === 4 ? 24 : 48;
}

/** Four keys lie in one line of the processor's cache. */
const KEY_FIELDS = 4;
const WAYS = 4;
const FIRST_SLOTS = 1 << 10;
const MOST_SLOTS = 1 << 17;
