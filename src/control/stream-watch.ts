import type { Board } from "../condition/board.ts";
import type { Inventory } from "../model/inventory.ts";
import type { StreamChecker } from "../probe/streams.ts";

/** How often the streams that edges report are looked at. */
const EVERY_MS = 5000;

/**
 * Has every stream that an edge of a service reports checked at all edges of the service, where the service asks
 * for that. Returns the way to stop.
 */
export function watchStreams(checker: StreamChecker, board: Board, inventory: () => Inventory): () => void {
  const timer = setInterval(() => {
    const { services, edges } = inventory();
    if (services.every(({ streams }) => streams === undefined)) return;
    const reported = new Map(board.conditions().map(({ edgeId, load }) => [edgeId, load.streams ?? []]));
    for (const { id, streams, edges: indices } of services) {
      if (streams === undefined) continue;
      checker.active(id, new Set(indices.flatMap((index) => reported.get(edges[index]?.id ?? "") ?? [])));
    }
  }, EVERY_MS);
  return () => clearInterval(timer);
}
