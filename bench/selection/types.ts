import type { Client } from "../../src/model/client.ts";
import type { LoadReport } from "../../src/model/condition.ts";
import type { DoorName } from "../../src/model/decision.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { Located, Location } from "../../src/model/location.ts";
import type { Affinity } from "../../src/model/service.ts";

/**
 * A scenario file, checked, with every default filled in. Times are milliseconds from the start of the measured
 * interval.
 */
export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly seed: number;
  readonly durationMs: number;
  readonly edges: readonly ScenarioEdge[];
  readonly demand: {
    /** Viewers present on average where every multiplier is 1. */
    readonly viewers: number;
    readonly regions: readonly Region[];
  };
  readonly stays: { readonly shortestMs: number; readonly longestMs: number };
  readonly networks: number;
  readonly dns: {
    /** Share of the viewers who come by a DNS answer, 0..1; the others by an HTTP redirect. */
    readonly share: number;
    readonly ttlMs: number;
    /** Share of the networks whose resolver sends the client subnet (RFC 7871), 0..1. */
    readonly clientSubnet: number;
    /** A resolver serves the cities of its country this close to it. */
    readonly resolverRadiusKm: number;
  };
  readonly streams: { readonly count: number; readonly exponent: number; readonly hot: Timeline };
  readonly affinity: Affinity;
  readonly bitsPerViewer: number;
  readonly reports: { readonly everyMs: number; readonly ageMs: number; readonly jitterMs: number };
  readonly steering: {
    /** Share of the viewers whose players ask again where to play from, 0..1. */
    readonly share: number;
    readonly ttlMs: number;
  };
  readonly failover: { readonly noticedAfterMs: number; readonly retryWithinMs: number };
  readonly faults: readonly Fault[];
}

export interface ScenarioEdge {
  readonly id: string;
  readonly latitude: number;
  readonly longitude: number;
  /** Viewers. */
  readonly capacity: number;
}

/** Multiplies the arrivals of every city that it selects; both lists empty selects all. */
export interface Region {
  readonly continents: readonly string[];
  readonly countries: readonly string[];
  readonly timeline: Timeline;
}

/** Points of a piecewise linear function of time, in order; constant before the first and after the last. */
export type Timeline = readonly (readonly [atMs: number, value: number])[];

/** down: the edge serves nobody; silent: its reports are missing; lying: its reports say `factor` times the truth. */
export interface Fault {
  readonly kind: "down" | "silent" | "lying";
  /** Index into `Scenario.edges`. */
  readonly edge: number;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly factor: number;
}

/** A way to choose edges, as the simulator drives it. Times are milliseconds on one clock that never goes back. */
export interface Rule {
  readonly name: string;
  /** Set where reports must name their streams. */
  readonly readsStreams?: boolean;
  start(setting: Setting): void;
  report(edgeIndex: number, report: Report, nowMs: number): void;
  /** What probes have found; told on every change. All edges are up at the start. */
  health(edgeIndex: number, up: boolean, nowMs: number): void;
  /** Once each simulated second, after the second's reports and before its viewers. */
  tick(nowMs: number): void;
  /** Index of the edge, or -1 for nobody. Asked once per HTTP viewer, and once per DNS answer that no cache has. */
  choose(question: Question, nowMs: number): number;
  /** How long the answer of the last choice is kept; left out: as long as the scenario says. */
  ttlMs?(): number;
  /** Now, by edge; left out: the rule has none. */
  pricesKm?(): Float64Array;
  /**
   * For a player that asks again; left out: the rule steers nobody.
   * @param playing index of the edge that it plays from
   * @param session what it was told to say the next time; empty: it asks for the first time
   */
  steer?(question: Question, playing: number, session: string, nowMs: number): Steered;
}

export interface Steered {
  /** Best first, at least one. */
  readonly edges: readonly number[];
  readonly ttlMs: number;
  readonly session: string;
}

export interface Setting {
  readonly edges: readonly SimulatedEdge[];
  readonly affinity: Affinity;
  readonly ttlMs: number;
  readonly steeringTtlMs: number;
  readonly bitsPerViewer: number;
  readonly reportEveryMs: number;
  readonly nowMs: number;
  /** Great-circle kilometres to each edge by its index; shared, not to be changed. */
  readonly distancesKm: (location: Location) => Float64Array;
  /** 0 up to, not including, 1; seeded. */
  readonly random: () => number;
}

/** An edge of the engine's model with both capacities set, and the country it stands in. */
export interface SimulatedEdge extends Edge {
  readonly capacity: { readonly viewers: number; readonly bandwidth: number };
  readonly country: string;
}

export interface Report extends Required<Omit<LoadReport, "streams">> {
  readonly streams?: readonly string[];
  /** When it was true, on the simulator's clock; a rule that pretends not to know must not read it. */
  readonly measuredAtMs: number;
}

export interface Question {
  readonly door: DoorName;
  readonly client: Client;
  readonly located: Located;
  readonly location: Location;
  /** Absent for DNS, which sees no path. */
  readonly stream?: string;
  readonly path?: string;
}

/** What a rule made of a scenario. `null`: has no meaning for it. */
export interface Result {
  /** Distance of the viewers present, each weighted by the time that he was served. */
  readonly meanKm: number;
  readonly p95Km: number;
  /** Mean distance over the viewers placed, each counted once. */
  readonly meanKmAtArrival: number | null;
  /** Viewer-seconds above an edge's capacity over all viewer-seconds served, 0..1. */
  readonly beyondCapacity: number;
  /** Viewer-seconds spent without an edge over all viewer-seconds wanted, 0..1. */
  readonly unserved: number;
  /** Highest share of any edge's capacity at any second; 1 is full. */
  readonly peakUtilisation: number;
  /** How many edges carry a viewer's stream, on average over viewers. */
  readonly edgesPerStream: number | null;
  /**
   * Viewers sent elsewhere than their network's last viewer while that edge was up, and viewers of lost edges, per
   * viewer.
   */
  readonly movesPerViewer: number | null;
  /** Viewers told to move while they played, per viewer placed; null where nobody is steered. */
  readonly steeringMovesPerViewer: number | null;
  /** Viewers that one DNS answer brought, on average. */
  readonly viewersPerDnsAnswer: number | null;
}

/** Share of capacity by edge and time. */
export interface Series {
  readonly stepMs: number;
  /** One array per step, by edge index. */
  readonly utilisation: readonly Float32Array[];
  /** Of the viewers served, one number per step. */
  readonly meanKm: readonly number[];
}

export interface Judgement {
  readonly scenario: string;
  readonly seed: number;
  readonly capacity: number;
  readonly viewers: { readonly mean: number; readonly peak: number };
  readonly results: { readonly [rule: string]: Result };
}
