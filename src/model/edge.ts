import type { Address } from "./address.ts";

/** One serving host, as configured. */
export interface Edge {
  readonly id: string;
  /** Position in `Inventory.edges`, and in every array of a `World`. */
  readonly index: number;
  readonly location: { readonly latitude: number; readonly longitude: number };
  /** What DNS answers, in the file's order. */
  readonly addresses: readonly Address[];
  /** What HTTP redirects to: origin and optional path prefix, without a trailing slash. */
  readonly url?: string;
  readonly tags: readonly string[];
  readonly capacity: Capacity;
  /** Share of viewers among equals; 0..1,000,000, default 1. */
  readonly weight: number;
  /** From the file; the operators' door may override it. */
  readonly state: AdminState;
  readonly probe: Probe;
  /** Merged field by field; the first that knows a field wins. */
  readonly load: readonly LoadSource[];
}

/** active: serve; drain: keep what it has, take no one new; off: out of service. */
export type AdminState = "active" | "drain" | "off";

/** What an edge can carry; a missing field is unlimited. */
export interface Capacity {
  readonly viewers?: number;
  /** Bits per second out. */
  readonly bandwidth?: number;
}

export type Probe = NoProbe | TcpProbe | HttpProbe;

export interface ProbeTiming {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Successes in a row that bring an address up, 1..10. */
  readonly rise: number;
  /** Failures in a row that bring an address down, 1..10. */
  readonly fall: number;
}

export interface NoProbe {
  readonly type: "none";
}

export interface TcpProbe extends ProbeTiming {
  readonly type: "tcp";
  readonly port: number;
}

export interface HttpProbe extends ProbeTiming {
  readonly type: "http";
  /** Scheme, port, path and query asked; the edge's own addresses are connected to, whatever its host says. */
  readonly url: string;
  /** The Host header and, for https, the SNI and the name the certificate must carry. */
  readonly host: string;
  /** Status codes that count as success. */
  readonly status: readonly number[];
  /** Text that the first 64 KiB of the body must contain. */
  readonly body?: string;
  readonly tls: { readonly verify: boolean };
}

export type LoadSource = PushLoad | JsonLoad;

export interface PushLoad {
  readonly type: "push";
  /** A report older than this is unknown again. */
  readonly staleAfterMs: number;
}

/** Any JSON document, with a path for each field of the report. */
export interface JsonLoad {
  readonly type: "json";
  readonly staleAfterMs: number;
  readonly url: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly username?: string;
  readonly password?: string;
  readonly fields: { readonly [field in LoadField]?: JsonField };
}

export type LoadField = "viewers" | "bandwidth" | "cpu" | "memory" | "streams";

/** Where a field stands in a JSON document, and the factor to the report's unit (default 1). */
export interface JsonField {
  /** Keys and array indices, from the root. `"*"` takes every member: numbers are added, names listed. */
  readonly path: readonly (string | number)[];
  readonly factor: number;
}
