/** What the operators' door asks of the rooms. */
import { createServiceTable } from "../base/service-table.ts";
import type { AcmeApi } from "../acme/api.ts";
import type { Board } from "../condition/board.ts";
import type { FailStatic } from "../condition/fail-static.ts";
import type { SavedOverrides } from "../condition/saved-overrides.ts";
import type { Drains } from "../draining/drains.ts";
import type { Geo } from "../geo/geo.ts";
import { parseReport } from "../load/push.ts";
import type { Condition } from "../model/condition.ts";
import type { Trace } from "../model/decision.ts";
import type { Edge } from "../model/edge.ts";
import type { CertificateState } from "../http/certificates.ts";
import type { Inventory } from "../model/inventory.ts";
import type { MetricSource } from "../model/metrics.ts";
import { STATE_ACTIVE } from "../model/world.ts";
import type { ExplainVerdict, GeoipView, OpsApi, OpsEvent, ReloadView } from "../ops/api.ts";
import type { Redirector } from "../engine/redirector.ts";
import { createEdgeViews, type EdgeViewSources } from "./edge-views.ts";
import type { Reloads } from "./reloads.ts";
import { certificateTexts } from "./certificate-alarms.ts";
import { databaseTexts } from "./database-alarms.ts";
import { lossTexts } from "./service-edges.ts";
import { troubles, troubleText } from "./service-trouble.ts";
import { stillTexts } from "./still-streams.ts";
import type { Worlds } from "./worlds.ts";
import { alarmText, explainView, type Rejected, serviceView } from "./views.ts";

export interface OpsApiOptions extends EdgeViewSources {
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
  readonly certificates: () => readonly CertificateState[];
  /** Why the doors are still closed; empty when they are open. */
  readonly waitingFor: () => readonly string[];
  readonly subscribe: (listener: (event: OpsEvent) => void) => () => void;
}

export function createOpsApi(options: OpsApiOptions): OpsApi {
  const {
    version,
    metrics,
    board,
    worlds,
    drains,
    failStatic,
    geo,
    redirector,
    reloads,
    inventory,
    subscribe,
    saved,
  } = options;
  const startedMs = performance.now();
  const ready = () => ({
    ready: options.waitingFor().length === 0,
    reasons: options.waitingFor(),
    alarms: [
      ...failStatic.alarms().map(alarmText),
      ...troubled(),
      ...refusedEdit(reloads.last()),
      ...databaseTexts(geo.databases()),
      ...certificateTexts(options.certificates(), Date.now()),
      ...(saved.areSaved() ? [] : [NOT_SAVED]),
    ],
  });
  /** What nobody knows before the first round of probes is nobody's trouble. */
  const troubled = (): string[] => {
    if (options.waitingFor().length > 0) return [];
    const [now, world] = [inventory(), worlds.current()];
    return [...troubles(now, world).map(troubleText), ...lossTexts(now, world), ...stillTexts(now, world)];
  };

  const edges = createEdgeViews(options);
  return {
    metrics,
    subscribe,
    ready,
    edges,
    status() {
      const { up, state } = board.facts();
      const { edges, services, file, generation } = inventory();
      return {
        ...ready(),
        version,
        node: process.version,
        uptimeSeconds: (performance.now() - startedMs) / 1000,
        configuration: { file, generation, lastReload: reloads.last() },
        edges: {
          total: edges.length,
          up: up.filter((bits) => bits !== 0).length,
          active: state.filter((number) => number === STATE_ACTIVE).length,
        },
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
    explain({ hostname, client, path, at }) {
      if (!ready().ready) return { kind: "not-ready" };
      const rejected: Rejected[] = [];
      // A request always has a path and comes over a family, and a query never.
      const needsIpv4 = client.address.family === 4;
      const question = { hostname, client, ...(at === "http" ? { path: path ?? "/", needsIpv4 } : {}) };
      const reject: Trace["reject"] = (edge, reason, distanceKm) =>
        void rejected.push({ edge, reason, distanceKm });
      const decision = redirector.explain(question, { reject }, at);
      if (decision === undefined) return unservedAt(hostname, inventory());
      return { kind: "explained", view: explainView(decision, client, rejected) };
    },
    report(edgeId, body) {
      const report = parseReport(body);
      if ("problem" in report) return { kind: "refused", detail: report.problem };
      const verdict = board.pushReport(edgeId, report);
      return verdict === "not-pushed"
        ? { kind: "refused", detail: `the load of ${edgeId} is not pushed: add {type: push} to its load` }
        : { kind: verdict };
    },
    async setState(edgeId, change, by) {
      const replaced = operatorsWord(board.condition(edgeId));
      const done = board.setState(edgeId, { ...change, by });
      if (done === "unknown-edge") return { kind: done };
      if (done === "forgotten") return { kind: done, persisted: await saved.save() };
      // It is said to hold when it holds: the doors are told before the file is written, not with the next news.
      drains.refresh();
      worlds.refresh();
      const persisted = await saved.save();
      const condition = board.condition(edgeId);
      if (condition === undefined) return { kind: "unknown-edge" };
      const unserved = unservedBy(edgeId, inventory(), board);
      return {
        kind: "set",
        persisted,
        condition,
        ...(replaced && { replaced }),
        ...(unserved.length === 0 ? {} : { unserved }),
      };
    },
    acme: options.acme,
    reload: reloads.reload,
    replace: options.replace,
  };
}

function operatorsWord(
  condition: Condition | undefined,
): Pick<Condition, "state" | "stateOrigin"> | undefined {
  if (condition?.stateOrigin.kind !== "operator") return undefined;
  const { state, stateOrigin } = condition;
  return { state, stateOrigin };
}

const NOT_SAVED =
  "drains cannot be written to the state file, and a restart would forget them: the log says why";

/** Ids of the edge's services of which no edge takes new viewers now, by its administrative state. */
function unservedBy(
  edgeId: string,
  { edges, services }: Inventory,
  board: Pick<Board, "isActive">,
): string[] {
  const its = services.map(({ id: service, edges: indices }) => ({
    service,
    ids: indices.map((index) => (edges[index] as Edge).id),
  }));
  return its.flatMap(({ service, ids }) =>
    ids.includes(edgeId) && !ids.some((id) => board.isActive(id)) ? [service] : [],
  );
}

/** Why no service answers there: without a path, some service has the hostname. */
function unservedAt(hostname: string, { services }: Inventory): ExplainVerdict {
  const some = createServiceTable(services)(hostname);
  if (some === undefined) return { kind: "unknown-hostname" };
  const its = services.filter(({ hostnames }) => hostnames.some((name) => some.hostnames.includes(name)));
  return { kind: "unknown-path", paths: its.flatMap(({ paths = [] }) => paths) };
}

/**
 * Whoever has edited the file may think that it holds. What is wrong with it is not for everyone who may ask for
 * alarms.
 */
function refusedEdit({ successful }: ReloadView): string[] {
  return successful
    ? []
    : ["the configuration as it is now is refused, an older one holds: edgeward reload says why"];
}
