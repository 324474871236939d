/**
 * What players say of their edges, made into distances.
 *
 * ```
 * steering calls ─┐
 * CMCD events ────┴─► a minute's reports ─► per group: quartiles by edge ─► verdict ─► learnt ─► Corrections ─► World
 * ```
 */
import type { Clock } from "../base/clock.ts";
import { Tally } from "../base/tally.ts";
import type { Address } from "../model/address.ts";
import type { Corrections, PlayerReport } from "../model/corrections.ts";
import type { Edge } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import type { MetricSource } from "../model/metrics.ts";
import type { Service } from "../model/service.ts";
import { readEvents } from "./cmcd.ts";
import { createLearnt } from "./corrections.ts";
import { createMinute } from "./minute.ts";

type Inventoried = Pick<Inventory, "services" | "edges">;

export interface Experience {
  /** A player's word by a steering call. */
  steering(report: PlayerReport, client: Address): void;
  /** A body of CMCD events. */
  cmcd(service: Service, client: Address, body: string): void;
  /** For the indices of that inventory. */
  corrections(inventory: Inventoried): Corrections | undefined;
  take(inventory: Inventoried): void;
  readonly metrics: MetricSource;
  stop(): void;
}

export interface ExperienceOptions {
  /** The corrections may be others. */
  readonly onChange: () => void;
  readonly clock: Pick<Clock, "after">;
}

const MINUTE_MS = 60_000;
/** Below it a player does not play; above it the number is wrong. Bit/s. */
const LEAST_THROUGHPUT = 10_000;
const MOST_THROUGHPUT = 100_000_000_000;

type Source = "steering" | "cmcd";

export function createExperience({ onChange, clock }: ExperienceOptions): Experience {
  const minute = createMinute();
  const learnt = createLearnt();
  const reports = new Tally("source", "outcome");
  let current: Inventoried = { services: [], edges: [] };
  let made: { readonly inventory: Inventoried; readonly table: Corrections | undefined } | undefined;
  const namesOf = new WeakMap<Service, ReadonlyMap<string, Edge>>();

  const rulesOf = (id: string) => current.services.find((service) => service.id === id)?.experience;

  const take = (source: Source, report: PlayerReport, client: Address): void => {
    const isPlausible = report.bitsPerSecond >= LEAST_THROUGHPUT && report.bitsPerSecond <= MOST_THROUGHPUT;
    if (!isPlausible) reports.add(source, "implausible");
    else reports.add(source, minute.add(report, client) ? "taken" : "no-room");
  };

  const close = (): void => {
    learnt.judge(minute.close(), rulesOf);
    made = undefined;
    onChange();
    cancel = clock.after(MINUTE_MS, close);
  };
  let cancel = clock.after(MINUTE_MS, close);

  const edgeBy = (service: Service, name: string | undefined): Edge | undefined => {
    let names = namesOf.get(service);
    if (names === undefined) {
      names = namesIn(service, current.edges);
      namesOf.set(service, names);
    }
    return name === undefined ? undefined : names.get(name);
  };

  return {
    steering: (report, client) => take("steering", report, client),
    cmcd(service, client, body) {
      for (const { host, cdn, bitsPerSecond } of readEvents(body)) {
        const edge = edgeBy(service, cdn) ?? edgeBy(service, host);
        if (edge === undefined) reports.add("cmcd", "unknown-edge");
        else take("cmcd", { service: service.id, edge: edge.id, bitsPerSecond }, client);
      }
    },
    corrections(inventory) {
      if (made?.inventory !== inventory)
        made = { inventory, table: learnt.tableFor(inventory.services, inventory.edges) };
      return made.table;
    },
    take(inventory) {
      current = inventory;
    },
    metrics() {
      const byEdge = learnt.byEdge();
      const edges = edgesOfThoseThatAsk(current);
      return [
        reports.family(
          "experience_reports_total",
          "What players said of their throughput, by source and what became of it",
        ),
        {
          kind: "gauge",
          name: "experience_corrected_groups",
          help: "Groups of networks for which the edge looks further away by what players said",
          samples: edges.map(({ id }) => ({
            labels: { edge: id },
            value: byEdge.get(id)?.groups ?? 0,
          })),
        },
        {
          kind: "gauge",
          name: "experience_correction_max_km",
          help: "The most kilometres that players' reports add to the distance of the edge, over all groups",
          samples: edges.map(({ id }) => ({
            labels: { edge: id },
            value: byEdge.get(id)?.maxKm ?? 0,
          })),
        },
      ];
    },
    stop: () => cancel(),
  };
}

/** By id, and by a hostname that is one edge's alone. */
function namesIn(service: Service, edges: readonly Edge[]): ReadonlyMap<string, Edge> {
  const its = service.edges.flatMap((index) => edges[index] ?? []);
  const names = new Map<string, Edge>();
  const twice = new Set<string>();
  for (const edge of its) {
    if (edge.url === undefined) continue;
    const { hostname } = new URL(edge.url);
    if (names.has(hostname)) twice.add(hostname);
    names.set(hostname, edge);
  }
  for (const hostname of twice) names.delete(hostname);
  for (const edge of its) names.set(edge.id, edge);
  return names;
}

/** Edges of other services are never corrected. */
function edgesOfThoseThatAsk({ services, edges }: Inventoried): readonly Edge[] {
  const indices = new Set(
    services.filter(({ experience }) => experience !== undefined).flatMap((service) => service.edges),
  );
  return edges.filter(({ index }) => indices.has(index));
}
