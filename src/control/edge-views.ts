import type { Board } from "../condition/board.ts";
import type { FailStatic } from "../condition/fail-static.ts";
import type { Drains } from "../draining/drains.ts";
import type { Pullers } from "../load/puller.ts";
import type { Condition } from "../model/condition.ts";
import type { Edge } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import type { EdgeView, LoadFailure } from "../model/views.ts";
import type { World } from "../model/world.ts";
import { edgeView, staleStreamsView } from "./views.ts";
import type { Worlds } from "./worlds.ts";

/** Where all that is known of an edge comes from. */
export interface EdgeViewSources {
  readonly inventory: () => Inventory;
  readonly board: Pick<Board, "conditions">;
  readonly failStatic: Pick<FailStatic, "kept">;
  readonly worlds: Pick<Worlds, "current">;
  readonly drains: Pick<Drains, "view">;
  readonly loadFailures: Pullers["failures"];
  /** By edge id. */
  readonly staleStreams: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Every edge of the inventory as it is now, in its order. */
export function createEdgeViews(sources: EdgeViewSources): () => EdgeView[] {
  const { inventory, board, failStatic, worlds, drains, loadFailures, staleStreams } = sources;

  /** Ids of services that go on sending viewers there, against what probes say. */
  const keptBy = (id: string): string[] => {
    const services = failStatic.kept().flatMap(({ edgeId, serviceIndex }) => {
      return edgeId === id ? [inventory().services[serviceIndex]?.id ?? ""] : [];
    });
    return [...new Set(services)];
  };

  const viewOf = (
    edge: Edge,
    condition: Condition,
    world: World,
    failures: readonly LoadFailure[] | undefined,
  ): EdgeView => {
    const drain = drains.view(edge.id);
    const stale = staleStreams.get(edge.id);
    return {
      ...edgeView(edge, condition, world, keptBy(edge.id)),
      ...(stale === undefined ? {} : { staleStreams: staleStreamsView(stale) }),
      ...(failures === undefined ? {} : { loadFailures: failures }),
      ...(drain === undefined ? {} : { drain }),
    };
  };

  return () => {
    const world = worlds.current();
    const failures = loadFailures();
    const byId = new Map(board.conditions().map((condition) => [condition.edgeId, condition]));
    // While a new configuration is settling in, the board knows its edges already.
    return inventory().edges.flatMap((edge) => {
      const condition = byId.get(edge.id);
      return condition === undefined ? [] : [viewOf(edge, condition, world, failures.get(edge.id))];
    });
  };
}
