import type { Client } from "../model/client.ts";

/**
 * Who was sent somewhere a moment ago, so that a player who asks again for every playlist, or a resolver without a
 * cache, is not counted as one viewer more each time. A table of fixed size: who is pushed out of it counts again.
 */
export interface Recent {
  /**
   * Whether the client was not seen for this service within `windowMs`, or was sent to an edge that is gone; it is
   * from now on.
   * @param edge where it is sent now, an index into `up`
   * @param up as in `World`
   */
  isNew(
    client: Client,
    service: number,
    edge: number,
    up: Uint8Array,
    windowMs: number,
    nowMs: number,
  ): boolean;
  /** Nobody was. */
  clear(): void;
}

/** A power of two. */
const PLACES = 1 << 16;

export function createRecent(): Recent {
  // By place: until when in milliseconds, whom, and where he was sent; together, so that one line of the cache has
  // them all.
  const memory = new ArrayBuffer(PLACES * PLACE_OCTETS);
  const untilMs = new Float64Array(memory);
  const words = new Int32Array(memory);
  return {
    isNew({ address, prefixLength }, service, edge, up, windowMs, nowMs) {
      let tag = Math.imul(service + 1, 0x9e3779b1) ^ prefixLength;
      const { bytes } = address;
      for (let i = 0; i < bytes.length; i++) tag = Math.imul(tag ^ (bytes[i] as number), 0x01000193);
      tag = Math.imul(tag ^ (tag >>> 15), 0x85ebca6b);
      const place = (tag ^ (tag >>> 16)) & (PLACES - 1);
      const at = WORDS * place;
      const isKnown = words[at + TAG] === tag && (untilMs[2 * place] as number) > nowMs;
      const last = words[at + EDGE] as number;
      if (isKnown && (last === edge || up[last] !== 0)) return false;
      untilMs[2 * place] = nowMs + windowMs;
      words[at + TAG] = tag;
      words[at + EDGE] = edge;
      return true;
    },
    clear: () => void words.fill(0),
  };
}

const PLACE_OCTETS = 16;
const WORDS = PLACE_OCTETS / 4;
/** Words of a place, behind the two of the time. */
const TAG = 2;
const EDGE = 3;
