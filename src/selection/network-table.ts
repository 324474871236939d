import type { Client } from "../model/client.ts";
import { KEY, Rows } from "./rows.ts";

/**
 * What is known of networks of clients as wide as resolvers send for client subnet, /24 and /48, or wider: for each a
 * word and a few numbers, as in `Rows`.
 */
export class NetworkTable {
  readonly #rows = new Rows(~ASIDE_BITS);
  /** The key of the last network that was looked for. */
  #head = 0;
  #rest = 0;

  get words(): Uint32Array {
    return this.#rows.words;
  }

  get numbers(): Float32Array {
    return this.#rows.numbers;
  }

  get place(): Float32Array {
    return this.#rows.place;
  }

  get placeWords(): Uint32Array {
    return this.#rows.placeWords;
  }

  /** As `Rows.find`. */
  find(client: Client, stamp: number): number {
    this.#look(client);
    return this.#rows.find(this.#head, this.#rest, stamp);
  }

  /**
   * As `Rows.claim`.
   * @param prefixLength how many bits of the client's address count
   * @param aside 0 to 255, which `asideAt` says again
   * @returns -1: there is none for this client
   */
  claim(client: Client, stamp: number, prefixLength: number, aside = 0): number {
    if (!canBeKept(client, prefixLength)) return -1;
    this.#look(client);
    return this.#rows.claim(this.#head, this.#rest | (aside << ASIDE_SHIFT), stamp);
  }

  asideAt(row: number): number {
    return ((this.#rows.words[row + KEY] as number) & ASIDE_BITS) >>> ASIDE_SHIFT;
  }

  clear(): void {
    this.#rows.clear();
  }

  #look(client: Client): void {
    const { family, bytes } = client.address;
    const isIpv4 = family === 4;
    const head =
      ((bytes[0] as number) << 24) |
      ((bytes[1] as number) << 16) |
      ((bytes[2] as number) << 8) |
      (isIpv4 ? 0 : (bytes[3] as number));
    const tail = isIpv4 ? 0 : ((bytes[4] as number) << 8) | (bytes[5] as number);
    // Of whom more is known than a network, only what holds for all of one is kept.
    const length = Math.min(client.prefixLength, widestLength(client) + 1);
    this.#head = head >>> 0;
    this.#rest = ((tail << 16) | (isIpv4 ? 0 : IS_IPV6) | length) >>> 0;
  }
}

/**
 * Whether what depends on so many bits holds for all of the client's network: if more of it is known than that,
 * others in it may be told apart.
 */
export function canBeKept(client: Client, prefixLength: number): boolean {
  return isNetwork(client) || prefixLength <= widestLength(client);
}

/** Whether no more is known of the client than its network: then nobody else's is its row. */
export function isNetwork(client: Client): boolean {
  return client.prefixLength <= widestLength(client);
}

function widestLength({ address }: Client): number {
  return address.family === 4 ? 24 : 48;
}

/**
 * The second word of a key: 16 bits of the address, 8 that are nothing of the key, the family, and how many bits are
 * known, at most 49.
 */
const ASIDE_SHIFT = 8;
const ASIDE_BITS = 0xff << ASIDE_SHIFT;
const IS_IPV6 = 1 << 7;
