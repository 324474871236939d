import { familiesOf } from "../base/address.ts";
import type { Family } from "../model/address.ts";
import type { ProbedHealth } from "../model/condition.ts";
import type { Edge } from "../model/edge.ts";
import { FAMILIES, type Finding, findingOf, isHeard, keyOf } from "./finding.ts";

/** What probes say of all edges, by edge and family. */
export interface Findings {
  /** What was found of edges that stay, stays. */
  take(edges: readonly Edge[]): void;
  /**
   * Of an edge of the last `take`.
   * @param nowMs monotonic
   * @returns whether it is lost, or was before
   */
  found(edgeId: string, probed: ProbedHealth, nowMs: number): boolean;
  of(edgeId: string, family: Family): Finding | undefined;
  /** As `keyOf` has them, of those that are lost. */
  lostKeys(): string[];
  /** No probe of any edge succeeds, and nobody says no either. */
  isSilent(): boolean;
}

export function createFindings(): Findings {
  const findings = new Map<string, Finding>();
  /** They are up by definition, which says nothing of the network. */
  let unprobed: ReadonlySet<string> = new Set();
  return {
    take(edges) {
      unprobed = new Set(
        edges.flatMap(({ id, probe }) => (probe.type === "none" ? FAMILIES.map((f) => keyOf(id, f)) : [])),
      );
      const present = new Set(
        edges.flatMap(({ id, addresses }) => familiesOf(addresses).map((f) => keyOf(id, f))),
      );
      for (const key of findings.keys()) if (!present.has(key)) findings.delete(key);
    },
    found(edgeId, { family, health, reason }, nowMs) {
      const key = keyOf(edgeId, family);
      const before = findings.get(key);
      const next = findingOf(before, { edgeId, family, health }, reason, nowMs);
      findings.set(key, next);
      return before?.lostAtMs !== undefined || next.lostAtMs !== undefined;
    },
    of: (edgeId, family) => findings.get(keyOf(edgeId, family)),
    lostKeys: () => [...findings].flatMap(([key, { lostAtMs }]) => (lostAtMs === undefined ? [] : [key])),
    isSilent() {
      const probed = [...findings].filter(([key, { health }]) => health !== "unknown" && !unprobed.has(key));
      return probed.length > 0 && probed.every(([, finding]) => !isHeard(finding));
    },
  };
}
