import type { RecordData, StaticRecord } from "../model/zone.ts";
import { typeOf } from "./records.ts";
import { MAX_MESSAGE_OCTETS } from "./wire.ts";

/** Records of a name that have one type. */
export interface RecordGroup {
  readonly type: number;
  readonly ttlSeconds: number;
  readonly data: readonly RecordData[];
}

/**
 * More records, of a pointer to their owner, TYPE, CLASS, TTL and RDLENGTH at least, are longer than any message: so
 * many are enough to be so.
 */
const MOST_RECORDS = Math.ceil(MAX_MESSAGE_OCTETS / 12);

/** The records of one name, by type. */
export function groupsOf(records: readonly StaticRecord[]): RecordGroup[] {
  const types = new Map<number, StaticRecord[]>();
  for (const record of records) {
    const type = typeOf(record.data);
    const others = types.get(type);
    if (others === undefined) types.set(type, [record]);
    else if (others.length < MOST_RECORDS) others.push(record); // of thousands, a copy for each would take seconds
  }
  return [...types].map(([type, all]) => ({
    type,
    ttlSeconds: leastTtl(all),
    data: all.map(({ data }) => data),
  }));
}

/** The records of a set share one TTL (RFC 2181 5.2). */
function leastTtl(records: readonly StaticRecord[]): number {
  return records.reduce((least, { ttlSeconds }) => Math.min(least, ttlSeconds), Number.POSITIVE_INFINITY);
}
