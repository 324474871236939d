import type { Board } from "../condition/board.ts";
import type { Inventory } from "../model/inventory.ts";
import type { StreamHeat } from "../model/world.ts";
import { cool, newStreamHeat, warm } from "../selection/heat.ts";
import { hashText } from "../selection/spread.ts";
import { streamKeyOf } from "../selection/stream.ts";

/** How often the streams that edges report are looked at, */
const WARM_EVERY_MS = 5000;
/** and viewers are let go who have left, */
const COOL_EVERY_MS = 30_000;
/** who stay about so long. */
const STAY_MS = 30 * 60_000;

export interface HeatKeeper {
  /** The same for ever, or undefined while no service keeps streams together. */
  heat(): StreamHeat | undefined;
  stop(): void;
}

/** Keeps what is known of streams and edges up to date, for services with `affinity: stream`. */
export function keepHeat(board: Pick<Board, "conditions">, inventory: () => Inventory): HeatKeeper {
  let heat: StreamHeat | undefined;
  const isWanted = (): boolean => inventory().services.some(({ affinity }) => affinity === "stream");
  const warming = setInterval(() => {
    if (heat === undefined || !isWanted()) return;
    for (const { edgeId, load } of board.conditions()) warmUp(heat, edgeId, load.streams ?? []);
  }, WARM_EVERY_MS);
  const cooling = setInterval(() => {
    if (heat !== undefined) cool(heat, COOL_EVERY_MS / STAY_MS);
  }, COOL_EVERY_MS);
  return {
    heat: () => (isWanted() ? (heat ??= newStreamHeat()) : undefined),
    stop() {
      clearInterval(warming);
      clearInterval(cooling);
    },
  };
}

/** Servers name a stream with or without its application. The simulator in bench/selection warms up with it too. */
export function warmUp(heat: StreamHeat, edgeId: string, streams: readonly string[]): void {
  const idHash = hashText(edgeId);
  for (const stream of streams) {
    warm(heat, streamKeyOf(stream), idHash);
    const slash = stream.lastIndexOf("/");
    if (slash >= 0) warm(heat, streamKeyOf(stream.slice(slash + 1)), idHash);
  }
}
