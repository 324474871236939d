import type { ClientSubnetRules } from "../model/service.ts";
import type { WireName } from "./name.ts";
import type { BindingRecord } from "./records.ts";
import type { Referral } from "./referral.ts";
import type { RecordSet } from "./template.ts";

/** What there is at a name. */
export type Holding = RecordsHolding | ServiceHolding | AliasHolding | ReferralHolding | AbsentHolding;

/** Static records, by type; none at all at an empty non-terminal. */
export interface RecordsHolding extends Owned {
  readonly kind: "records";
}

/** Addresses are decided for each client. */
export interface ServiceHolding extends Owned {
  readonly kind: "service";
  /** As configured, so `*.…` for every name that a wildcard stands for. */
  readonly hostname: string;
  /** Absent: the scope that is right. */
  readonly clientSubnet?: ClientSubnetRules;
  /** False at a name in front of the hostname that has nothing but bindings, as `_8443._https`. */
  readonly hasAddresses: boolean;
  /** HTTPS and SVCB by type. */
  readonly bindings: ReadonlyMap<number, BindingRecord>;
}

interface Owned {
  readonly zone: ZoneData;
  readonly sets: ReadonlyMap<number, RecordSet>;
  /** By type: what goes with a set if there is room. */
  readonly beside: ReadonlyMap<number, readonly RecordSet[]>;
  /** At an apex: the zone above, if it is ours too. DS records would be there (RFC 4035 3.1.4.1). */
  readonly parentZone?: ZoneData;
}

export interface AliasHolding {
  readonly kind: "alias";
  readonly zone: ZoneData;
  readonly cname: RecordSet;
  readonly target: WireName;
  /** What follows upon this record in the same answer. */
  readonly chain: Chain;
}

export interface Chain {
  readonly aliases: readonly AliasHolding[];
  /** What the last target is, if it is ours and no loop. */
  readonly end?: Exclude<Holding, AliasHolding>;
}

/** At or below a delegation (RFC 1034 4.2.1). */
export interface ReferralHolding extends Referral {
  readonly kind: "referral";
  /** At the delegation itself, where DS records would be ours (RFC 4035 3.1.4.1). */
  readonly isCut: boolean;
  readonly zone: ZoneData;
}

export interface AbsentHolding {
  readonly kind: "absent";
  readonly zone: ZoneData;
}

export interface ZoneData {
  readonly name: WireName;
  /** Beside a "no" (RFC 2308 3). */
  readonly negativeSoa: RecordSet;
  readonly negativeTtlSeconds: number;
  /** The answer to ANY, wherever there is anything (RFC 8482 4.2). */
  readonly minimalAny: RecordSet;
}

/** Where the zone's name starts in a message that holds `name` uncompressed at `nameAt`. */
export function zoneNameAt(zone: ZoneData, name: WireName, nameAt: number): number {
  return nameAt + name.length - zone.name.length;
}
