import type { Prefix } from "./address.ts";

/** How the DNS door treats its clients, and what it tells of itself. */
export interface DnsSettings {
  /** Resolvers that send no client subnet and are nowhere near their viewers: answered by load and weight. */
  readonly placeless?: readonly Prefix[];
  /**
   * Which server this is: `id.server` and `hostname.bind` (RFC 4892), NSID (RFC 5001). 1 to 63 printable ASCII
   * octets.
   */
  readonly identity?: string;
  /** What it runs: `version.bind` and `version.server`. 1 to 63 printable ASCII octets. */
  readonly version?: string;
  /**
   * Of server cookies (RFC 9018), 16 octets each: the first makes them, all are accepted. Servers behind one address
   * share them. Left out: the process has its own.
   */
  readonly cookieSecrets?: readonly [Uint8Array, ...Uint8Array[]];
  /** Left out: responses are not limited. */
  readonly rateLimit?: RateLimit;
  /** Left out: as `TCP_LIMITS`. */
  readonly tcp?: TcpLimits;
  /** Left out: no query is logged. */
  readonly queryLog?: QueryLogSettings;
}

export interface QueryLogSettings {
  /** `stdout`, or the absolute path of a file. */
  readonly destination: string;
  /** Share of the answers that is told of, above 0 to 1. */
  readonly sample: number;
  /** Whether addresses are told whole, or only their networks. */
  readonly wholeAddresses: boolean;
}

/** Response rate limiting over UDP; a client network is what its addresses have in common. */
export interface RateLimit {
  /** Of one class to one client network, above 0. */
  readonly responsesPerSecond: number;
  /** How far back responses beyond the rate count, above 0. */
  readonly windowSeconds: number;
  /** Every so many of the responses that are refused goes out with TC=1 instead; 0: none, 1: all. */
  readonly slip: number;
  readonly ipv4PrefixLength: number;
  readonly ipv6PrefixLength: number;
  /** Whose responses are not limited. */
  readonly exempt: readonly Prefix[];
}

/** Connections over TCP (RFC 7766 6.2). */
export interface TcpLimits {
  readonly connections: number;
  /** From one IPv4 /24 or IPv6 /56. */
  readonly connectionsPerNetwork: number;
  /** A connection without a whole query, or that does not fetch its answers, for so long is closed. */
  readonly idleMs: number;
}
