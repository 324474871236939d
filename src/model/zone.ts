import type { Address } from "./address.ts";
import type { ServiceParam } from "./service.ts";

/** A DNS subtree that we are authoritative for. Names are lower case, absolute, without the trailing dot. */
export interface Zone {
  readonly name: string;
  readonly nameservers: readonly string[];
  /** SOA RNAME as a mail address. */
  readonly contact: string;
  /** Of the zone's own records. */
  readonly ttlSeconds: number;
  /** SOA MINIMUM: how long a "no" is cached (RFC 2308). */
  readonly negativeTtlSeconds: number;
  /** SOA serial, 32 bits, from the wall clock of the last change. */
  readonly serial: number;
  readonly records: readonly StaticRecord[];
}

export interface StaticRecord {
  /** Owner name; may start with `*.` (RFC 4592). */
  readonly name: string;
  readonly ttlSeconds: number;
  readonly data: RecordData;
}

/** A record's content, parsed from its presentation form. */
export type RecordData =
  | { readonly type: "A" | "AAAA"; readonly address: Address }
  | { readonly type: "CNAME" | "NS"; readonly target: string }
  | { readonly type: "MX"; readonly preference: number; readonly exchange: string }
  | {
      readonly type: "SRV";
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
  /** Character strings of at most 255 octets each. */
  | { readonly type: "TXT"; readonly strings: readonly Uint8Array[] }
  | { readonly type: "CAA"; readonly flags: number; readonly tag: string; readonly value: string }
  /** `params` in ascending key order, values in wire form (RFC 9460 2.2). */
  | {
      readonly type: "SVCB" | "HTTPS";
      readonly priority: number;
      readonly target: string;
      readonly params: readonly ServiceParam[];
    };
