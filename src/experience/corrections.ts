import { newTripleTable, type TripleEntry } from "../base/triple-table.ts";
import type { Family } from "../model/address.ts";
import { ANY_EDGE, type Corrections, type ExperienceRules } from "../model/corrections.ts";
import type { Edge } from "../model/edge.ts";
import type { Service } from "../model/service.ts";
import type { Evidence } from "./minute.ts";
import { verdictOn } from "./verdict.ts";

/** What has been learnt: kilometres by service, group and edge, which come and go slowly. */
export interface Learnt {
  /** Once a minute, with all that was said in it. */
  judge(evidence: readonly Evidence[], rulesOf: (service: string) => ExperienceRules | undefined): void;
  /** For these services and edges; `undefined`: there is nothing to correct. */
  tableFor(services: readonly Service[], edges: readonly Edge[]): Corrections | undefined;
  /** By edge id: for how many groups, and the largest. */
  byEdge(): ReadonlyMap<string, { readonly groups: number; readonly maxKm: number }>;
}

/** How much of the way to a new verdict is gone in a minute. */
const STEP = 0.3;
/** What is left after a minute without one: half after ten minutes. */
const MEMORY = 0.5 ** (1 / 10);
/** Less than this moves nobody. */
const LEAST_KM = 10;
/** Of a service, a group and an edge; the memory is bounded, and those that came first stay. */
const MOST_ENTRIES = 20_000;

interface Entry {
  readonly service: string;
  readonly family: Family;
  readonly group: number;
  readonly edge: string;
  km: number;
}

export function createLearnt(): Learnt {
  const entries = new Map<string, Entry>();

  const learn = (
    { service, family, group }: Evidence,
    edge: string,
    targetKm: number,
  ): string | undefined => {
    const key = `${service} ${family} ${group} ${edge}`;
    const entry = entries.get(key);
    if (entry !== undefined) entry.km += STEP * (targetKm - entry.km);
    else if (targetKm > 0 && entries.size < MOST_ENTRIES)
      entries.set(key, { service, family, group, edge, km: STEP * targetKm });
    return key;
  };

  return {
    judge(evidence, rulesOf) {
      const judged = new Set<string | undefined>();
      for (const one of evidence) {
        const rules = rulesOf(one.service);
        if (rules === undefined) continue;
        for (const [edge, km] of verdictOn(one.edges, rules)) judged.add(learn(one, edge, km));
      }
      for (const [key, entry] of entries) {
        if (!judged.has(key)) entry.km *= MEMORY;
        const most = rulesOf(entry.service)?.maxKm ?? 0;
        entry.km = Math.min(entry.km, most);
        if (entry.km < LEAST_KM) entries.delete(key);
      }
    },
    tableFor(services, edges) {
      const serviceIndex = new Map(
        services.flatMap(({ id, index, experience }) => (experience ? [[id, index]] : [])),
      );
      const edgeIndex = new Map(edges.map(({ id, index }) => [id, index]));
      const rows = new Map<string, TripleEntry>();
      for (const { service, family, group, edge, km } of entries.values()) {
        const [ofService, ofEdge] = [serviceIndex.get(service), edgeIndex.get(edge)];
        if (ofService === undefined || ofEdge === undefined) continue;
        const first = 2 * ofService + (family === 6 ? 1 : 0);
        rows.set(`${first} ${group}`, { key: [first, group, ANY_EDGE], value: 1 });
        rows.set(`${first} ${group} ${ofEdge}`, { key: [first, group, ofEdge], value: Math.round(km) });
      }
      return rows.size === 0 ? undefined : newTripleTable([...rows.values()]);
    },
    byEdge() {
      const byEdge = new Map<string, { groups: number; maxKm: number }>();
      for (const { edge, km } of entries.values()) {
        const { groups, maxKm } = byEdge.get(edge) ?? { groups: 0, maxKm: 0 };
        byEdge.set(edge, { groups: groups + 1, maxKm: Math.max(maxKm, km) });
      }
      return byEdge;
    },
  };
}
