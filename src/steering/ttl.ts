/** What a manifest's time to live depends on. */
export interface TtlCauses {
  /** As configured, 5 or more. */
  readonly baseSeconds: number;
  readonly isMoving: boolean;
  readonly isUnsure: boolean;
  /** Share of the time that the door is busy, 0..1. */
  readonly busy: number;
  /** 0..1 */
  readonly draw: number;
}

/** While something moves. */
const MOVING_SECONDS = 10;
/** hls.js asks without a pause where there is none, and 5 is as short as anybody should ask. */
const LEAST_SECONDS = 5;
const LONGEST_SECONDS = 3600;
/** From this on, players are asked to come less often. */
const BUSY = 0.9;

/** Seconds, spread by 10 % either way, so that those who started together do not come together. */
export function ttlSeconds({ baseSeconds, isMoving, isUnsure, busy, draw }: TtlCauses): number {
  const calm = isUnsure ? baseSeconds * 2 : baseSeconds;
  const meant = (isMoving ? Math.min(MOVING_SECONDS, calm) : calm) * (busy > BUSY ? 4 : 1);
  const spread = Math.round(meant * (0.9 + 0.2 * draw));
  return Math.min(LONGEST_SECONDS, Math.max(LEAST_SECONDS, spread));
}
