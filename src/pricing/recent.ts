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
}

/** A power of two. */
const PLACES = 1 << 16;

export function createRecent(): Recent {
  const tags = new Int32Array(PLACES);
  const edges = new Uint16Array(PLACES);
  const untilMs = new Float64Array(PLACES).fill(Number.NEGATIVE_INFINITY);
  return {
    isNew({ address, prefixLength }, service, edge, up, windowMs, nowMs) {
      let tag = Math.imul(service + 1, 0x9e3779b1) ^ prefixLength;
      for (const octet of address.bytes) tag = Math.imul(tag ^ octet, 0x01000193);
      tag = Math.imul(tag ^ (tag >>> 15), 0x85ebca6b);
      const place = (tag ^ (tag >>> 16)) & (PLACES - 1);
      const isKnown = tags[place] === tag && (untilMs[place] as number) > nowMs;
      const last = edges[place] as number;
      if (isKnown && (last === edge || up[last] !== 0)) return false;
      tags[place] = tag;
      edges[place] = edge;
      untilMs[place] = nowMs + windowMs;
      return true;
    },
  };
}
