/**
 * The MaxMind DB format 2.0 (https://maxmind.github.io/MaxMind-DB/): a binary tree over the bits of an
 * address, a data section, and metadata at the end of the file.
 *
 *   | node 0 | node 1 | …  | 16 zero octets | data … | marker | metadata map |
 *
 * A node is two records, for the next bit 0 and 1. A record below the node count is another node, the
 * node count itself means "nothing here", anything above points into the data section.
 */
import { Buffer } from "node:buffer";
import { createRequire } from "node:module";
import { setImmediate as loopTurn } from "node:timers/promises";
import type DecoderModule from "mmdb-lib/lib/decoder.js";
import type { Address, Family } from "../model/address.ts";
import { flawOf } from "./flaw.ts";

// The package maxmind does not export its decoder, so it is asked for the one it uses itself.
const fromHere = createRequire(import.meta.url);
const fromMaxmind = createRequire(fromHere.resolve("maxmind"));
const { default: Decoder } = fromMaxmind("mmdb-lib/lib/decoder.js") as typeof DecoderModule;

/** A database in memory. Plain data over shared memory: it can be posted to another thread as it is. */
export interface Mmdb {
  /** The whole file. */
  readonly bytes: Uint8Array;
  readonly metadata: Metadata;
  /** Octets before the data section. */
  readonly dataStart: number;
  /** End of the data section. */
  readonly dataEnd: number;
  /** Where the walks start, by family; a family without a tree is absent: nothing is known of it. */
  readonly starts: { readonly 4?: Start; readonly 6?: Start };
}

export interface Metadata {
  readonly nodeCount: number;
  readonly recordBits: RecordBits;
  readonly family: Family;
  readonly type: string;
  /** Wall clock, milliseconds since 1970. */
  readonly builtAtMs: number;
  /** English description, where there is one. */
  readonly description: string;
}

export type RecordBits = 24 | 28 | 32;

/** Where the first bits of an address lead to, so that a walk begins there. */
export interface Start {
  /** How many bits. */
  readonly bits: number;
  readonly records: Uint32Array;
  /** Bits that led to the record: `bits`, or fewer where the tree ended before. */
  readonly depths: Uint8Array;
}

/** Where a walk ended. */
export interface Leaf {
  /** Offset of the record in the file; `EMPTY` or `BROKEN` where there is none. */
  offset: number;
  /** The answer holds for all addresses that share this many leading bits, in the address's own family. */
  depth: number;
}

export const EMPTY = 0;
/** The tree is deeper than an address is wide, or leads out of the data section. */
export const BROKEN = -1;

/** Between tree and data. */
export const SEPARATOR_OCTETS = 16;
/** 20 bits take 5 MB and shorten the walk to a /24 from 24 steps to 4; IPv6 walks go far beyond either. */
const MOST_START_BITS = { 4: 20, 6: 16 };

/** Walks down the tree; the result is written into `leaf`, so that a look-up allocates nothing. */
export function walk(db: Mmdb, address: Address, leaf: Leaf): void {
  const start = db.starts[address.family];
  if (start === undefined) {
    leaf.offset = EMPTY;
    leaf.depth = 0;
    return;
  }
  const { bytes } = address;
  const { nodeCount, recordBits } = db.metadata;
  const head = firstWord(bytes) >>> (32 - start.bits);
  const width = bytes.length * 8;
  let record = start.records[head] as number;
  let depth = start.depths[head] as number;
  while (record < nodeCount && depth < width) {
    const bit = ((bytes[depth >> 3] as number) >> (7 - (depth & 7))) & 1;
    record = readRecord(db.bytes, recordBits, record, bit);
    depth++;
  }
  leaf.offset = offsetOf(db, record);
  leaf.depth = depth;
}

function firstWord(bytes: Uint8Array): number {
  return (
    ((bytes[0] as number) << 24) |
    ((bytes[1] as number) << 16) |
    ((bytes[2] as number) << 8) |
    (bytes[3] as number)
  );
}

/** The record of a node for the next bit 0 or 1. */
export function readRecord(file: Uint8Array, recordBits: RecordBits, node: number, bit: number): number {
  switch (recordBits) {
    case 24: {
      const at = node * 6 + 3 * bit;
      return ((file[at] as number) << 16) | ((file[at + 1] as number) << 8) | (file[at + 2] as number);
    }
    case 28: {
      // The middle octet holds the upper four bits of both records.
      const at = node * 7 + 4 * bit;
      const middle = file[node * 7 + 3] as number;
      const upper = bit === 0 ? middle >> 4 : middle & 0x0f;
      return (
        (upper << 24) |
        ((file[at] as number) << 16) |
        ((file[at + 1] as number) << 8) |
        (file[at + 2] as number)
      );
    }
    case 32: {
      const at = node * 8 + 4 * bit;
      return (
        (file[at] as number) * 0x1000000 +
        (((file[at + 1] as number) << 16) | ((file[at + 2] as number) << 8) | (file[at + 3] as number))
      );
    }
  }
}

/**
 * Decodes the value at an offset of the file.
 * @throws where it is malformed, or larger than any record has reason to be
 */
export function decode(db: Mmdb, offset: number): unknown {
  const flaw = flawOf(db.bytes, offset, db.dataStart, db.dataEnd);
  if (flaw !== undefined) throw new Error(flaw);
  return decoded(db.bytes, db.dataStart, offset);
}

/** What is wrong with a file, by a stable code, or the database. */
export type Opened =
  | { readonly kind: "opened"; readonly db: Mmdb }
  | { readonly kind: "flawed"; readonly reason: FormatFlaw; readonly detail: string };

export type FormatFlaw = "no-metadata" | "bad-metadata" | "bad-version" | "bad-tree";

/**
 * Reads the metadata, finds the sections and goes the first bits of the tree, in slices that leave the
 * event loop free. Tree and data are not looked at beyond that.
 */
export async function openMmdb(bytes: Uint8Array): Promise<Opened> {
  const tailStart = Math.max(0, bytes.length - METADATA_MAX_OCTETS);
  const marker = tailStart + bufferOf(bytes.subarray(tailStart)).lastIndexOf(MARKER);
  if (marker < tailStart)
    return flawed("no-metadata", "no MaxMind DB metadata at its end: cut short, or another kind of file");
  const metadataStart = marker + MARKER.length;
  const flaw = flawOf(bytes, metadataStart, metadataStart, bytes.length);
  if (flaw !== undefined) return flawed("bad-metadata", `metadata: ${flaw}`);
  const raw = decoded(bytes, metadataStart, metadataStart);
  if (field(raw, "binary_format_major_version") !== 2)
    return flawed("bad-version", "not version 2 of the MaxMind DB format");
  const metadata = metadataOf(raw);
  if (typeof metadata === "string") return flawed("bad-metadata", metadata);
  return withSections(bytes, metadata, marker);
}

const MARKER = Buffer.from("\xab\xcd\xefMaxMind.com", "latin1");
const METADATA_MAX_OCTETS = 128 * 1024;

async function withSections(bytes: Uint8Array, metadata: Metadata, dataEnd: number): Promise<Opened> {
  const dataStart = (metadata.nodeCount * metadata.recordBits) / 4 + SEPARATOR_OCTETS;
  if (dataStart > dataEnd)
    return flawed(
      "bad-tree",
      `${metadata.nodeCount} nodes of ${metadata.recordBits} bits do not fit the file`,
    );
  if (bytes.subarray(dataStart - SEPARATOR_OCTETS, dataStart).some((octet) => octet !== 0))
    return flawed("bad-tree", "the data section does not begin where the node count says");
  const bare: Mmdb = { bytes, metadata, dataStart, dataEnd, starts: {} };
  return { kind: "opened", db: { ...bare, starts: await startsOf(bare) } };
}

function metadataOf(raw: unknown): Metadata | string {
  const nodeCount = field(raw, "node_count");
  if (typeof nodeCount !== "number" || nodeCount < 1) return "metadata: node_count is not a positive number";
  const recordBits = field(raw, "record_size");
  if (recordBits !== 24 && recordBits !== 28 && recordBits !== 32)
    return "metadata: record_size is none of 24, 28, 32";
  const family = field(raw, "ip_version");
  if (family !== 4 && family !== 6) return "metadata: ip_version is neither 4 nor 6";
  const type = field(raw, "database_type");
  if (typeof type !== "string" || type === "") return "metadata: database_type is not a text";
  const epoch = field(raw, "build_epoch");
  if (typeof epoch !== "number" && typeof epoch !== "bigint") return "metadata: build_epoch is not a number";
  const description = field(field(raw, "description"), "en");
  return {
    nodeCount,
    recordBits,
    family,
    type,
    builtAtMs: Number(epoch) * 1000,
    description: typeof description === "string" ? description : "",
  };
}

async function startsOf(db: Mmdb): Promise<Mmdb["starts"]> {
  if (db.metadata.family === 4) return { 4: await startAt(db, 0, 4) };
  const ipv6 = await startAt(db, 0, 6);
  const ipv4 = ipv4Root(db);
  return ipv4 === db.metadata.nodeCount ? { 6: ipv6 } : { 6: ipv6, 4: await startAt(db, ipv4, 4) };
}

/** Where the tree of a family begins, or the record that stands for all of it. */
export function rootOf(db: Mmdb, family: Family): number {
  return family === 6 || db.metadata.family === 4 ? 0 : ipv4Root(db);
}

/** IPv4 lies under ::/96. A tree that ends before holds one record, or none, for all of IPv4. */
function ipv4Root(db: Mmdb): number {
  let record = 0;
  for (let depth = 0; depth < 96 && record < db.metadata.nodeCount; depth++)
    record = readRecord(db.bytes, db.metadata.recordBits, record, 0);
  return record;
}

const ENTRIES_PER_SLICE = 4096;

/** Level by level: every entry parts into two, from the last to the first, so that none is overwritten. */
async function startAt(db: Mmdb, root: number, family: Family): Promise<Start> {
  const { nodeCount, recordBits } = db.metadata;
  // A table larger than the tree would be of no use.
  const bits = Math.min(MOST_START_BITS[family], Math.ceil(Math.log2(nodeCount + 1)));
  const records = new Uint32Array(new SharedArrayBuffer(4 << bits));
  const depths = new Uint8Array(new SharedArrayBuffer(1 << bits));
  records[0] = root;
  for (let depth = 0; depth < bits; depth++) {
    for (let i = (1 << depth) - 1; i >= 0; i--) {
      const record = records[i] as number;
      const ended = record >= nodeCount;
      records[2 * i] = ended ? record : readRecord(db.bytes, recordBits, record, 0);
      records[2 * i + 1] = ended ? record : readRecord(db.bytes, recordBits, record, 1);
      const reached = ended ? (depths[i] as number) : depth + 1;
      depths[2 * i] = reached;
      depths[2 * i + 1] = reached;
      if (i > 0 && i % ENTRIES_PER_SLICE === 0) await loopTurn();
    }
  }
  return { bits, records, depths };
}

/** The offset in the file that a record of the tree leads to, `EMPTY` or `BROKEN`. */
export function offsetOf(db: Mmdb, record: number): number {
  const { nodeCount } = db.metadata;
  if (record === nodeCount) return EMPTY;
  const offset = record - nodeCount - SEPARATOR_OCTETS + db.dataStart;
  return offset >= db.dataStart && offset < db.dataEnd ? offset : BROKEN;
}

function decoded(bytes: Uint8Array, base: number, offset: number): unknown {
  return new Decoder(bufferOf(bytes), base).decode(offset).value as unknown;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function field(map: unknown, key: string): unknown {
  return typeof map === "object" && map !== null && Object.hasOwn(map, key)
    ? (map as Record<string, unknown>)[key]
    : undefined;
}

function flawed(reason: FormatFlaw, detail: string): Opened {
  return { kind: "flawed", reason, detail };
}
