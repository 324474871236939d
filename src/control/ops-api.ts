/** What the operators' door asks of the rooms. */
import type { AcmeApi } from "../acme/api.ts";
import type { Board } from "../condition/board.ts";
import type { FailStatic } from "../condition/fail-static.ts";
import type { SavedOverrides } from "../condition/saved-overrides.ts";
import type { Drains } from "../draining/drains.ts";
import type { Redirector } from "../engine/redirector.ts";
import type { Geo } from "../geo/geo.ts";
import { parseReport } from "../load/push.ts";
import type { MetricSource } from "../model/metrics.ts";
import { STATE_ACTIVE } from "../model/world.ts";
import type { GeoipView, OpsApi, OpsEvent, StatusView } from "../ops/api.ts";
import { createEdgeViews, type EdgeViewSources } from "./edge-views.ts";
import { explanationOf } from "./explanation.ts";
import { createOverriding, type OverridingOptions } from "./overriding.ts";
import { createReadiness, type ReadinessSources } from "./readiness.ts";
import type { Reloads } from "./reloads.ts";
import { serviceView } from "./views.ts";
import type { Worlds } from "./worlds.ts";

export interface OpsApiOptions extends EdgeViewSources, OverridingOptions, ReadinessSources {
  readonly version: string;
  /** May grow. */
  readonly metrics: readonly MetricSource[];
  readonly board: Board;
  readonly failStatic: Pick<FailStatic, "alarms" | "kept">;
  readonly worlds: Pick<Worlds, "current" | "refresh">;
  readonly geo: Geo;
  readonly drains: Pick<Drains, "view"> & { readonly refresh: () => void };
  readonly redirector: Redirector;
  readonly reloads: Reloads;
  readonly replace: OpsApi["replace"];
  readonly acme: AcmeApi;
  readonly saved: Pick<SavedOverrides, "save" | "areSaved">;
  readonly subscribe: (listener: (event: OpsEvent) => void) => () => void;
}

export function createOpsApi(options: OpsApiOptions): OpsApi {
  const { version, metrics, board, geo, redirector, reloads, inventory, waitingFor, subscribe } = options;
  const startedMs = performance.now();
  const ready = createReadiness(options);
  const edges = createEdgeViews(options);

  const edgeCounts = (): StatusView["edges"] => {
    const { up, state } = board.facts();
    return {
      total: inventory().edges.length,
      up: up.filter((bits) => bits !== 0).length,
      active: state.filter((number) => number === STATE_ACTIVE).length,
    };
  };

  return {
    metrics,
    subscribe,
    ready,
    edges,
    status() {
      const { services, file, generation } = inventory();
      return {
        ...ready(),
        version,
        node: process.version,
        uptimeSeconds: (performance.now() - startedMs) / 1000,
        configuration: { file, generation, lastReload: reloads.last() },
        edges: edgeCounts(),
        absentEdges: board.absent(),
        services: services.length,
        geoip: geo
          .databases()
          .flatMap(({ path, role, builtAtMs }): GeoipView[] =>
            builtAtMs === undefined ? [] : [{ layer: role, file: path, builtAtMs }],
          ),
      };
    },
    edge: (id) => edges().find((edge) => edge.id === id),
    services: () => inventory().services.map((service) => serviceView(service, inventory())),
    explain: (question) =>
      waitingFor().length === 0 ? explanationOf(question, redirector, inventory()) : { kind: "not-ready" },
    report(edgeId, body) {
      const report = parseReport(body);
      if ("problem" in report) return { kind: "refused", detail: report.problem };
      const verdict = board.pushReport(edgeId, report);
      return verdict === "not-pushed"
        ? { kind: "refused", detail: `the load of ${edgeId} is not pushed: add {type: push} to its load` }
        : { kind: verdict };
    },
    setState: createOverriding(options),
    acme: options.acme,
    reload: reloads.reload,
    replace: options.replace,
  };
}
