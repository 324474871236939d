import type { Client } from "../model/client.ts";
import { networkKey } from "./spread.ts";

/**
 * Whether a viewer is one of those who are too many on an edge: of its viewers the share that is beyond its capacity,
 * always the same ones first, so that nobody else moves while reports still show those who have gone.
 */
export function isSurplus({ address }: Client, loadRatio: number): boolean {
  const lot = networkKey(address, address.bytes.length * 8) / 0x1_0000_0000;
  return lot < 1 - 1 / loadRatio;
}
