import type { StreamHeat } from "../model/world.ts";
import { mix } from "./spread.ts";

/** Viewers are counted in parts, so that they can leave one by one. */
const PARTS_PER_VIEWER = 64;

/**
 * About as many viewers as were sent there for the stream and still watch; streams that share a place count together.
 */
export function viewersOfStream(heat: StreamHeat, stream: number, idHash: number): number {
  return (heat[placeOf(heat, stream, idHash)] as number) / PARTS_PER_VIEWER;
}

/** Whether the edge has the stream: it reports it, or was sent viewers for it. */
export function isWarm(heat: StreamHeat, stream: number, idHash: number): boolean {
  return (heat[placeOf(heat, stream, idHash)] as number) > 0;
}

/** From any thread. */
export function addViewers(heat: StreamHeat, stream: number, idHash: number, viewers: number): void {
  Atomics.add(heat, placeOf(heat, stream, idHash), Math.round(viewers * PARTS_PER_VIEWER));
}

/** The edge says that it has the stream, whoever sent for it. */
export function warm(heat: StreamHeat, stream: number, idHash: number): void {
  Atomics.compareExchange(heat, placeOf(heat, stream, idHash), 0, 1);
}

/**
 * Lets the share of viewers go that left meanwhile, and at least a part of one, so that everything cools in the end.
 */
export function cool(heat: StreamHeat, leftShare: number): void {
  for (let place = 0; place < heat.length; place++) {
    const parts = Atomics.load(heat, place);
    if (parts > 0) Atomics.sub(heat, place, Math.min(parts, Math.ceil(parts * leftShare)));
  }
}

/** @param places a power of two */
export function newStreamHeat(places = 1 << 16): StreamHeat {
  return new Int32Array(new SharedArrayBuffer(places * Int32Array.BYTES_PER_ELEMENT));
}

function placeOf(heat: StreamHeat, stream: number, idHash: number): number {
  return mix(stream ^ idHash) & (heat.length - 1);
}
