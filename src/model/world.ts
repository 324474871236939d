import type { Corrections } from "./corrections.ts";

/**
 * What is true of every edge at one moment, as arrays by `Edge.index`. Replaced whole, never edited;
 * plain data, so that it can be sent to, or shared with, another thread.
 */
export interface World {
  /** `Inventory.generation` that the indices belong to. */
  readonly generation: number;
  /** Bit 0: IPv4 up, bit 1: IPv6 up. Bits of families without an address are 0. Edges without any address use bit 0. */
  readonly up: Uint8Array;
  /** Bits that some services add to `up`, by `Service.index`: their last good state. Absent: none does. */
  readonly keptUp?: ReadonlyMap<number, Uint8Array> | undefined;
  /**
   * Addresses that are down though their family is up: bits by position in `Edge.addresses`, by `Edge.index`; edges
   * without any are left out. Absent: there are none.
   */
  readonly downAddresses?: ReadonlyMap<number, number> | undefined;
  /** 0 active, 1 drain, 2 off. */
  readonly state: Uint8Array;
  /** Where what holds now may soon not: `UNSTEADY_*`; else 0. */
  readonly unsteady: Uint8Array;
  /** 0 empty, 1 full, NaN unknown or unlimited; with those in it who were sent and are in no report yet. */
  readonly loadRatio: Float64Array;
  /** Kilometres added to the distance, so that demand meets capacity; 0 while the edge has room. */
  readonly priceKm: Float64Array;
  /** How much `loadRatio` grows by one viewer; 0 where it is unknown or unlimited. */
  readonly perViewer: Float64Array;
  /** Share of its capacity that an edge may use now: less than 1 while it takes up load after it came back. */
  readonly limit: Float64Array;
  /** Streams that stand still there, as their service names them, by `Edge.index`; edges without any are left out. */
  readonly staleStreams: ReadonlyMap<number, ReadonlySet<string>>;
  /** What players' reports add to distances; absent while that is nothing. */
  readonly corrections?: Corrections | undefined;
  /**
   * Viewers who lost their edge and come with the next DNS answer for the place, beside those whom it usually brings:
   * by who asks in which square degree of a pool (`askersKey`). Absent: nobody.
   */
  readonly returning?: ReadonlyMap<number, number> | undefined;
  /** Decisions made since, by all serving threads. */
  readonly sent: Sent;
  /** Which edges carry how much of which stream; absent where no service asks for that. */
  readonly heat?: StreamHeat | undefined;
}

/**
 * Viewers by stream and edge, in memory that all serving threads share, and with `Sent` the only part of a world
 * that moves. Of a fixed size, by hashes: streams that meet at one place look larger than they are.
 */
export type StreamHeat = Int32Array;

/**
 * Running counts of decisions in memory that all serving threads share, and where they stood when the world was
 * made. They are the one part of a world that moves.
 */
export interface Sent {
  /** Modulo 2^32, HTTP decisions at `slot`, DNS answers at `counts.length / 2 + slot`. */
  readonly counts: Int32Array;
  /** As `counts`, when the world was made. */
  readonly before: Int32Array;
  /** Place in `counts` by `Edge.index`; an edge keeps it over a reload. */
  readonly slot: Uint16Array;
  /** Viewers that a DNS answer is expected to bring, by `Edge.index`: more in a rush. */
  readonly viewersPerAnswer: Float32Array;
}

/** What reports, probes and operators say of every edge, by `Edge.index`: what a world is made from. */
export interface Facts {
  readonly generation: number;
  readonly up: Uint8Array;
  /** As in `World`. */
  readonly downAddresses?: ReadonlyMap<number, number>;
  readonly state: Uint8Array;
  /** 1 where the last probes speak against the health, but are not yet as many as would change it; else 0. */
  readonly inDoubt: Uint8Array;
  /** As last reported, while that is fresh; NaN unknown or unlimited. */
  readonly loadRatio: Float64Array;
  /** As last reported, while that is fresh; NaN unknown. */
  readonly viewers: Float64Array;
  /** How much `loadRatio` grows by one viewer; 0 where it is unknown or unlimited. */
  readonly perViewer: Float64Array;
  /** Monotonic, when the viewers were counted, or, where nobody counts them, the load was measured; NaN never. */
  readonly viewersAtMs: Float64Array;
  /**
   * Monotonic, when that was measured of which `loadRatio` is: by another source it may be older or newer. NaN never.
   */
  readonly loadAtMs: Float64Array;
}

export const UP_IPV4 = 1;
export const UP_IPV6 = 2;

/** Its health is in doubt, or it takes up load after it came back. */
export const UNSTEADY_DOUBT = 1;
/** Not that, but so many come that it may soon be full. */
export const UNSTEADY_RUSH = 2;

export const STATE_ACTIVE = 0;
export const STATE_DRAIN = 1;
export const STATE_OFF = 2;
