/** What a connection may cost. Milliseconds, octets. */
export interface HttpLimits {
  /** From a request's first octet, or a connection's start, to the end of its header. */
  readonly headersTimeoutMs: number;
  /**
   * From a balancer's connection's start to the end of its PROXY header; 3 seconds bear one retransmission (section
   * 2).
   */
  readonly proxyHeaderTimeoutMs: number;
  /** From a request's first octet to its last. At least `headersTimeoutMs`. */
  readonly requestTimeoutMs: number;
  /** Without an octet in either direction. */
  readonly silenceTimeoutMs: number;
  /** Between an answer and the next request. */
  readonly keepAliveTimeoutMs: number;
  /** How often the first two are looked at. */
  readonly checkIntervalMs: number;
  readonly maxRequestsPerConnection: number;
  /** That node:http reads from one connection in a turn of the event loop; no client sends so many before an answer. */
  readonly maxRequestsAtOnce: number;
  /** Of one thread; beyond it, those that have been idle longest are closed. */
  readonly maxConnections: number;
  /** Octets of the request line and all fields, without colons and line ends. */
  readonly maxHeaderSize: number;
  readonly maxHeaderFields: number;
  /** Octets. */
  readonly maxTargetLength: number;
  /**
   * How long, and how much of, an unwanted body is thrown away after the answer, so that closing does not destroy the
   * answer (RFC 9112 9.6).
   */
  readonly lingerMs: number;
  readonly lingerOctets: number;
  /** How long `stop` waits for requests that are still arriving. */
  readonly stopGraceMs: number;
}

export const DEFAULT_LIMITS: HttpLimits = {
  headersTimeoutMs: 10_000,
  proxyHeaderTimeoutMs: 3000,
  requestTimeoutMs: 12_000,
  silenceTimeoutMs: 15_000,
  keepAliveTimeoutMs: 65_000,
  checkIntervalMs: 1000,
  maxRequestsPerConnection: 10_000,
  maxRequestsAtOnce: 200,
  maxConnections: 50_000,
  maxHeaderSize: 16 * 1024,
  maxHeaderFields: 256,
  maxTargetLength: 8 * 1024,
  lingerMs: 1000,
  lingerOctets: 256 * 1024,
  stopGraceMs: 3000,
};
