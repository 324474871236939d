/**
 * What is true of every edge at one moment, as arrays by `Edge.index`. Replaced whole, never edited;
 * plain data, so that it can be sent to, or shared with, another thread.
 */
export interface World {
  /** `Inventory.generation` that the indices belong to. */
  readonly generation: number;
  /** Bit 0: IPv4 up, bit 1: IPv6 up. Bits of families without an address are 0. Edges without any address use bit 0. */
  readonly up: Uint8Array;
  /** 0 active, 1 drain, 2 off. */
  readonly state: Uint8Array;
  /** 0 empty, 1 full, NaN unknown or unlimited. */
  readonly loadRatio: Float64Array;
  /** Kilometres added to the distance; 0 while the edge has room. */
  readonly priceKm: Float64Array;
}

export const UP_IPV4 = 1;
export const UP_IPV6 = 2;

export const STATE_ACTIVE = 0;
export const STATE_DRAIN = 1;
export const STATE_OFF = 2;
