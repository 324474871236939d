import { familiesOf } from "../base/address.ts";
import type { Family } from "../model/address.ts";
import type { Edge } from "../model/edge.ts";
import type { Service } from "../model/service.ts";
import { FAMILIES, keyOf } from "./finding.ts";
import type { Panic, PanicRules } from "./panic.ts";

/** A service's edges in one family, and whether their losses are believed. */
export interface Watch {
  service: Service;
  readonly family: Family;
  edgeIds: readonly string[];
  rules: PanicRules;
  panic?: Panic;
  /** Wall clock, milliseconds since 1970. */
  alarmedAtMs?: number;
  /** Monotonic; losses up to then are. */
  believedUntilMs: number;
  /** Ends the wait for the end of a hold. */
  cancel?: () => void;
}

/** By service and family, for services with edges in it. */
export function watchesOf(services: readonly Service[], edges: readonly Edge[]): Map<string, Watch> {
  const watches = new Map<string, Watch>();
  const members = edges.map(memberOf);
  for (const service of services) {
    for (const family of FAMILIES) {
      const edgeIds: string[] = [];
      let [roundMs, verdictMs] = [0, 0];
      for (const index of service.edges) {
        const member = members[index] as Member;
        if (!member.families.includes(family)) continue;
        edgeIds.push(member.id);
        roundMs = Math.max(roundMs, member.roundMs);
        verdictMs = Math.max(verdictMs, member.verdictMs);
      }
      if (edgeIds.length === 0) continue;
      const { threshold, holdMs } = service.panic;
      const rules = { threshold, holdMs, roundMs, verdictMs };
      watches.set(`${service.id} ${family}`, {
        service,
        family,
        edgeIds,
        rules,
        believedUntilMs: Number.NEGATIVE_INFINITY,
      });
    }
  }
  return watches;
}

/** Goes on with what is known of those that are wanted still. */
export function keepWatches(watches: Map<string, Watch>, wanted: ReadonlyMap<string, Watch>): void {
  for (const [key, watch] of watches) {
    const next = wanted.get(key);
    if (next === undefined) {
      watch.cancel?.();
      watches.delete(key);
    } else Object.assign(watch, { service: next.service, edgeIds: next.edgeIds, rules: next.rules });
  }
  for (const [key, watch] of wanted) if (!watches.has(key)) watches.set(key, watch);
}

/** What an edge brings into each service: there can be thousands of services with hundreds of edges. */
interface Member {
  readonly id: string;
  readonly families: readonly Family[];
  readonly roundMs: number;
  readonly verdictMs: number;
}

function memberOf(edge: Edge): Member {
  return {
    id: edge.id,
    families: familiesOf(edge.addresses),
    roundMs: probesMs(edge, 1),
    verdictMs: probesMs(edge, fallOf(edge)),
  };
}

/** Beyond an interval and a timeout, what a busy machine may be late. */
const SLACK_MS = 250;

/** From the start of a probe to the end of the one that comes so many later. */
function probesMs({ probe }: Edge, probes: number): number {
  return probe.type === "none" ? 0 : probe.intervalMs * probes + probe.timeoutMs + SLACK_MS;
}

function fallOf({ probe }: Edge): number {
  return probe.type === "none" ? 0 : probe.fall;
}

/** By edge and family, as `keyOf` has them: also edges that no service has. */
export function watchesByEdge(watches: Iterable<Watch>, edges: readonly Edge[]): Map<string, Watch[]> {
  const byEdge = new Map<string, Watch[]>();
  const lists = edges.map(({ id, addresses }) =>
    FAMILIES.map((family) => {
      const list = familiesOf(addresses).includes(family) ? [] : undefined;
      if (list !== undefined) byEdge.set(keyOf(id, family), list);
      return list;
    }),
  );
  for (const watch of watches) {
    const family = FAMILIES.indexOf(watch.family);
    for (const index of watch.service.edges) (lists[index]?.[family] as Watch[] | undefined)?.push(watch);
  }
  return byEdge;
}
