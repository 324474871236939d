/** Whether a database may be taken: judged by its content, before it answers anybody. */
import { setImmediate as loopTurn } from "node:timers/promises";
import { addressOf, formatAddress, parseAddress } from "../base/address.ts";
import type { Address } from "../model/address.ts";
import { flawOf } from "./flaw.ts";
import {
  BROKEN,
  decode,
  EMPTY,
  type FormatFlaw,
  type Leaf,
  type Mmdb,
  offsetOf,
  openMmdb,
  readRecord,
  walk,
} from "./mmdb.ts";
import { asnOf, locationOf } from "./record.ts";

/** What the records of a database tell. */
export type DatabaseKind = "city" | "country" | "asn";

/** What a database is configured as: to locate (`geoip.city`) or to tell the autonomous system (`geoip.asn`). */
export type DatabaseRole = "city" | "asn";

export type Verdict =
  | { readonly kind: "sound"; readonly db: Mmdb; readonly databaseKind: DatabaseKind }
  | { readonly kind: "refused"; readonly reason: RefusalReason; readonly detail: string };

/** Stable codes, for the log and the metric; see geoip/README.md. */
export type RefusalReason = FormatFlaw | "bad-date" | "bad-record" | "wrong-kind" | "empty" | "implausible";

/**
 * Reads every node of the tree and the structure of every record, in slices that leave the event loop
 * free (about 0.4 s of work for 6 million nodes and 400,000 records).
 * @param nowMs wall clock, milliseconds since 1970
 */
export async function validate(bytes: Uint8Array, role: DatabaseRole, nowMs: number): Promise<Verdict> {
  const opened = await openMmdb(bytes);
  if (opened.kind === "flawed") return refused(opened.reason, opened.detail);
  const { db } = opened;
  if (!isPlausibleDate(db.metadata.builtAtMs, nowMs))
    return refused("bad-date", "its build time is not between 2005 and today");
  const scan = await scanAll(db);
  if (scan.kind === "refused") return scan;
  if (scan.samples.length === 0) return refused("empty", "no address has a record");
  const databaseKind = kindOf(scan.samples.map((offset) => decode(db, offset)));
  if (databaseKind === undefined)
    return refused("wrong-kind", `type "${db.metadata.type}" has no locations and no autonomous systems`);
  if ((databaseKind === "asn") !== (role === "asn"))
    return refused("wrong-kind", `it is a database of kind ${databaseKind}, listed under geoip.${role}`);
  const doubt = implausible(db, databaseKind);
  return doubt === undefined ? { kind: "sound", db, databaseKind } : refused("implausible", doubt);
}

type Refused = Extract<Verdict, { kind: "refused" }>;

function refused(reason: RefusalReason, detail: string): Refused {
  return { kind: "refused", reason, detail };
}

const FIRST_BUILD_MS = Date.UTC(2005, 0);
/** A clock that shows less has not been set, and cannot say what the future is. */
const CLOCK_IS_SET_MS = Date.UTC(2026, 0);
const CLOCK_TOLERANCE_MS = 2 * 86_400_000;

function isPlausibleDate(builtAtMs: number, nowMs: number): boolean {
  const tooNew = nowMs > CLOCK_IS_SET_MS && builtAtMs > nowMs + CLOCK_TOLERANCE_MS;
  return builtAtMs >= FIRST_BUILD_MS && !tooNew && Number.isFinite(builtAtMs);
}

const NODES_PER_SLICE = 4096;
const SAMPLES = 1024;

interface Scan {
  readonly kind: "scanned";
  readonly db: Mmdb;
  /** By node, one bit each: whether a record leads to it. */
  readonly reached: Uint32Array;
  /** By offset in the data section, one bit each: whether the record there has been looked at. */
  readonly seen: Uint8Array;
  /** Offsets of some records, spread over the tree. */
  readonly samples: number[];
  readonly sampleEvery: number;
}

/**
 * Every record must lead to a node, to nothing, or to the beginning of a well-formed map, and every
 * node but the root must be led to: a pointer that was damaged leaves one behind that nothing leads to.
 */
async function scanAll(db: Mmdb): Promise<Scan | Refused> {
  const { nodeCount } = db.metadata;
  const scan: Scan = {
    kind: "scanned",
    db,
    reached: new Uint32Array((nodeCount >>> 5) + 1),
    seen: new Uint8Array(((db.dataEnd - db.dataStart) >> 3) + 1),
    samples: [],
    // Odd, so that records for 0 and for 1 take turns.
    sampleEvery: Math.floor((2 * nodeCount) / SAMPLES) | 1,
  };
  for (let from = 0; from < nodeCount; from += NODES_PER_SLICE) {
    const flaw = scanNodes(scan, from, Math.min(nodeCount, from + NODES_PER_SLICE));
    if (flaw !== undefined) return flaw;
    await loopTurn();
  }
  const lost = firstLost(scan.reached, nodeCount);
  return lost === undefined ? scan : refused("bad-tree", `nothing leads to node ${lost}`);
}

/** Nothing has to lead to node 0, the root. */
function firstLost(reached: Uint32Array, nodeCount: number): number | undefined {
  for (let word = 0; 32 * word < nodeCount; word++) {
    const root = word === 0 ? 1 : 0;
    const lost = 32 * word + 31 - Math.clz32(lowestOf(~((reached[word] as number) | root)));
    if (lost >= 32 * word && lost < nodeCount) return lost;
  }
  return undefined;
}

/** Its lowest bit alone. */
function lowestOf(bits: number): number {
  return bits & -bits;
}

function scanNodes(scan: Scan, from: number, to: number): Refused | undefined {
  const { db, reached, samples, sampleEvery } = scan;
  const { nodeCount, recordBits } = db.metadata;
  for (let node = from; node < to; node++) {
    for (let bit = 0; bit < 2; bit++) {
      const record = readRecord(db.bytes, recordBits, node, bit);
      if (record < nodeCount)
        reached[record >>> 5] = (reached[record >>> 5] as number) | (1 << (record & 31));
      if (record <= nodeCount) continue;
      const offset = offsetOf(db, record);
      if (offset === BROKEN) return refused("bad-tree", `node ${node} leads out of the data section`);
      const flaw = markSeen(scan, offset) ? undefined : flawOfRecord(db, offset);
      if (flaw !== undefined) return flaw;
      if ((2 * node + bit) % sampleEvery === 0) samples.push(offset);
    }
  }
  return undefined;
}

/** Whether it had been seen before. */
function markSeen({ db, seen }: Scan, offset: number): boolean {
  const at = offset - db.dataStart;
  const before = seen[at >> 3] as number;
  seen[at >> 3] = before | (1 << (at & 7));
  return ((before >> (at & 7)) & 1) === 1;
}

function flawOfRecord(db: Mmdb, offset: number): Refused | undefined {
  const isMap = (db.bytes[offset] as number) >> 5 === 7;
  if (!isMap) return refused("bad-tree", `the tree leads into the middle of a record, at octet ${offset}`);
  const flaw = flawOf(db.bytes, offset, db.dataStart, db.dataEnd);
  return flaw === undefined ? undefined : refused("bad-record", `the record at octet ${offset}: ${flaw}`);
}

/** By content, since names differ by publisher; a file of several kinds is what most of its records are. */
function kindOf(records: readonly unknown[]): DatabaseKind | undefined {
  const located = records.map((record) => locationOf(record).layer);
  if (located.includes("city")) return "city";
  const countries = located.filter((layer) => layer === "country").length;
  const asns = records.filter((record) => asnOf(record) !== undefined).length;
  if (countries === 0 && asns === 0) return undefined;
  return countries >= asns ? "country" : "asn";
}

/** Addresses of universities, registries and resolvers that have been where they are for decades. */
const CANARIES: readonly (readonly [Address, string])[] = (
  [
    ["8.8.8.8", "US"],
    ["128.112.1.1", "US"],
    ["129.132.1.1", "CH"],
    ["130.237.28.40", "SE"],
    ["133.11.0.1", "JP"],
    ["81.2.69.160", "GB"],
    ["193.0.6.139", "NL"],
    ["202.12.29.1", "AU"],
    ["143.107.1.1", "BR"],
    ["146.231.128.1", "ZA"],
    ["2001:67c:2e8::1", "NL"],
    ["2001:200::1", "JP"],
    ["2001:620::1", "CH"],
    ["2001:6b0::1", "SE"],
    ["2001:dc0::1", "AU"],
    ["2001:12ff::1", "BR"],
  ] as const
).map(([text, country]) => [parseAddress(text) ?? addressOf(new Uint8Array(4)), country]);

/** Fewer canaries with a record than this say nothing: the file covers other networks. */
const CANARIES_TO_JUDGE = 3;

/** A database that knows well-known addresses must have most of them in the right country. */
function implausible(db: Mmdb, databaseKind: DatabaseKind): string | undefined {
  if (databaseKind === "asn") return undefined;
  const leaf: Leaf = { offset: EMPTY, depth: 0 };
  const known = CANARIES.filter(([address]) => {
    walk(db, address, leaf);
    return leaf.offset !== EMPTY;
  });
  const misplaced = known.filter(([address, country]) => countryAt(db, address, leaf) !== country);
  if (known.length < CANARIES_TO_JUDGE || misplaced.length * 2 <= known.length) return undefined;
  const examples = misplaced
    .slice(0, 3)
    .map(([address, country]) => `${formatAddress(address)} not in ${country}`);
  return `${misplaced.length} of ${known.length} well-known addresses are misplaced: ${examples.join(", ")}`;
}

function countryAt(db: Mmdb, address: Address, leaf: Leaf): string | undefined {
  walk(db, address, leaf);
  if (leaf.offset === BROKEN) return undefined;
  try {
    return locationOf(decode(db, leaf.offset)).country;
  } catch {
    return undefined;
  }
}
