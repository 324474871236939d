import type { Client } from "./client.ts";
import type { Edge } from "./edge.ts";
import type { Location } from "./location.ts";
import type { Fallback, Service } from "./service.ts";

export type DoorName = "dns" | "http" | "steering";

/** What a door asks the engine. */
export interface Question {
  /** Lower case, no trailing dot, no port. */
  readonly hostname: string;
  readonly client: Client;
  /** The request's path, where there is one: it names the stream. */
  readonly path?: string;
  /** How many edges are of use, best first; left out: for DNS as many as the service answers, otherwise all. */
  readonly most?: number;
  /** Where the viewer is, by the word of someone who knows better than GeoIP. */
  readonly location?: Location;
  readonly playing?: Playing;
  /**
   * The viewer may have no other way to an edge than IPv4. For DNS: an answer of IPv4 addresses is asked for.
   * Elsewhere: he came over it, which may be for want of another, so that edges beyond its reach are left out as long
   * as it reaches any.
   */
  readonly needsIpv4?: boolean;
  /** What is decided for who needs IPv4 is of use beside the decision itself, which alone counts. */
  readonly alsoForIpv4?: boolean;
  /** What whoever asks for the viewer prefers. */
  readonly bias?: Bias;
}

/** Kilometres by which an edge counts as further away than it is, below 0 as nearer; Infinity rules it out. */
export type Bias = (choice: Choice) => number;

/** Where a viewer plays from already, as far as he says. */
export interface Playing {
  /** Of the service. */
  readonly edge: Edge;
  /** Whether he may stay there though the edge drains, since his turn has not come. */
  readonly mayStay: boolean;
}

/**
 * The one synchronous function that doors receive. `undefined`: no service has that hostname.
 * With a trace, every rejected edge is told with its reason.
 */
export type Decide = (question: Question, door: DoorName, trace?: Trace) => Decision | undefined;

/**
 * For a door that keeps an answer, asked right after the decision that it was made of: the returned function
 * counts that decision once more, or says, without counting, that something else might be decided now.
 * `undefined`: it is not to be kept.
 */
export type Keep = (decision: Decision, door: DoorName) => (() => boolean) | undefined;

/**
 * For a door that prepares answers for whole networks, asked right after the decision that one was made of, for the DNS
 * door. `undefined`: that decision is not known to hold for a network.
 */
export type Recall = (decision: Decision) => Recalled | undefined;

/** Decisions of one service with the same number are answered alike, but for their scope. */
export interface Recalled {
  readonly memory: Memory;
  /** 1 or more. */
  readonly number: number;
}

/** What was decided for networks by one service; the same object as long as its numbers mean the same. */
export interface Memory {
  /**
   * The number of what would be decided for the client now.
   * @returns 0: that is not known, or it may be found to hold for a wider network; `Decide` is to be asked
   */
  find(client: Client): number;
  /** Of what was found last. */
  readonly scopePrefixLength: number;
  /**
   * What was found last, as far as an answer goes by it. It may have been made for another network: place, distances
   * and prices are that one's.
   */
  readonly decision: Decision;
  /** Counts what was found last as if it had been decided for this client. */
  count(client: Client): void;
  /** Finds and counts, if that is what is found. @returns whether it is */
  repeat(client: Client, number: number, scopePrefixLength: number): boolean;
}

/** The centre: the DNS answer, the redirect, the log, the metrics and `explain` all read this. */
export interface Decision {
  readonly service: Service;
  readonly outcome: Outcome;
  /** Best first, no more than were asked for. Empty exactly when the outcome is `fallback` or `refused`. */
  readonly edges: readonly Choice[];
  readonly location: Location;
  readonly asn?: number;
  /** How many leading bits of the client's address the decision depended on, in the client's family. */
  readonly scopePrefixLength: number;
  /** The service's, or less while one of the edges named is in doubt, takes up load, or one that drains is missed. */
  readonly ttlSeconds: number;
  /** Whether one of the edges named is in doubt or takes up load, or none was up; left out: it is not so. */
  readonly isInDoubt?: boolean;
  /**
   * How many of the edges, from the first on, are good enough for a DNS answer; left out: as many as the service
   * answers.
   */
  readonly answers?: number;
  /** Of the nearest edge in service, chosen or full; NaN when there is none, or the viewer cannot be located. */
  readonly nearestKm: number;
  /** How many of the service's edges were left out, by the position of the reason in `REJECTION_REASONS`. */
  readonly rejected: ArrayLike<number>;
  /** Families that any edge of the service has addresses in, whatever its condition; bits as in `World.up`. */
  readonly families: number;
  /**
   * What is decided for who needs IPv4, where that was asked for too and this names an edge that IPv4 does not reach.
   */
  readonly forIpv4?: Decision;
}

export type Outcome =
  /** At least one eligible edge. */
  | { readonly kind: "edges" }
  /** Everyone is full and the service spills: the least bad first. */
  | { readonly kind: "overload" }
  /** Everyone is down and the service fails open: answered as if all were up. */
  | { readonly kind: "fail-open" }
  | { readonly kind: "fallback"; readonly fallback: Fallback }
  | { readonly kind: "refused"; readonly reason: RefusalReason };

/**
 * full, down: as `whenFull`, `whenDown`; not-allowed: the viewer, by `allow` and `deny`, or every edge by a bias;
 * no-edges: none in service; no-ipv4: those in service are beyond the reach of IPv4, which the viewer needs.
 */
export type RefusalReason = "full" | "down" | "not-allowed" | "no-edges" | "no-ipv4";

export interface Choice {
  readonly edge: Edge;
  /** Great-circle kilometres; NaN when the viewer cannot be located. */
  readonly distanceKm: number;
  readonly priceKm: number;
  /** What players' reports add to the distance for this viewer; absent: nothing. */
  readonly correctionKm?: number;
  /**
   * What puts it before others though they are nearer or cheaper; edges are ranked by distance + price + correction -
   * favour.
   */
  readonly favour?: { readonly km: number; readonly why: FavourReason };
  /** NaN unknown or unlimited. */
  readonly loadRatio: number;
  /** Bits as in `World.up`; under fail-open, every family that the edge has addresses in. */
  readonly up: number;
  /** Of its addresses those that are down, bits by their position; absent: none, or nobody goes by that. */
  readonly downAddresses?: number;
}

/**
 * preferred: for this viewer, by the edge's `preferredFor`; stream: the stream's lot falls on it; warm: it carries
 * the stream already; viewer: it is the one that this viewer keeps.
 */
export type FavourReason = "preferred" | "stream" | "warm" | "viewer";

/**
 * too-far: beyond `maxDistanceKm`, or the nearest place is full and `whenFull: refuse` goes no further; stale-stream:
 * the stream asked for stands still there; ramp-up: it is back, and has taken what it is to take by now.
 */
export type RejectionReason = (typeof REJECTION_REASONS)[number];

export const REJECTION_REASONS = [
  "off",
  "drain",
  "down",
  "full",
  "stale-stream",
  "too-far",
  "not-allowed",
  "ramp-up",
] as const;

/** What an edge lacks to be named at a door where others of the service are: an address for DNS, a url for HTTP. */
export type Unreachable = "no-address" | "no-url";

/** Told of every rejected edge; absent when nobody asks. */
export interface Trace {
  /** @param distanceKm NaN when the viewer cannot be located, and for an edge that the door cannot name */
  reject(edge: Edge, reason: RejectionReason | Unreachable, distanceKm: number): void;
}
