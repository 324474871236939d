import type { Address } from "../model/address.ts";

/** The first bits of an address as a number of 32 bits; the others are 0. @param length 1..32 */
export function firstBits({ bytes }: Pick<Address, "bytes">, length: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  return ((a << 24) | (b << 16) | (c << 8) | d) & (-1 << (32 - length));
}
