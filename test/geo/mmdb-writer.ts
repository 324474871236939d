/** Writes small MaxMind DB files, good ones and, part by part, bad ones. */
import { parsePrefix } from "../../src/base/address.ts";

export type Value =
  | string
  | number
  | bigint
  | boolean
  | Raw
  | readonly Value[]
  | { readonly [key: string]: Value };

/** Octets that stand in the file as they are: for values that no writer would write. */
export class Raw {
  readonly bytes: readonly number[];

  constructor(...bytes: number[]) {
    this.bytes = bytes;
  }
}

export interface Draft {
  readonly family?: 4 | 6;
  readonly recordBits?: 24 | 28 | 32;
  readonly type?: string;
  readonly builtAt?: string;
  readonly records: { readonly [prefix: string]: Value };
  /** Replaces fields of the metadata; `undefined` leaves one out. */
  readonly metadata?: { readonly [field: string]: Value | undefined };
  /** Replaces a node's record by number, after the tree is built. */
  readonly patch?: (node: number, bit: number, record: number, tree: TreeShape) => number;
}

export interface TreeShape {
  readonly nodeCount: number;
  readonly dataOctets: number;
}

export const MARKER = [0xab, 0xcd, 0xef, ...Buffer.from("MaxMind.com")];

export function writeMmdb(draft: Draft): Uint8Array {
  const family = draft.family ?? 4;
  const recordBits = draft.recordBits ?? 28;
  const data: number[] = [];
  const root: Node = [undefined, undefined];
  for (const [prefix, value] of Object.entries(draft.records)) {
    insert(root, bitsOf(prefix, family), data.length);
    data.push(...encode(value));
  }
  const nodes = numbered(root);
  const shape = { nodeCount: nodes.length, dataOctets: data.length };
  const tree = nodes.flatMap((node, at) => {
    const [zero, one] = [0, 1].map((bit) => {
      const record = recordOf(node[bit as 0 | 1], nodes);
      return draft.patch === undefined ? record : draft.patch(at, bit, record, shape);
    });
    return packNode(recordBits, zero as number, one as number);
  });
  return file(tree, data, encode(metadataOf(draft, family, recordBits, nodes.length)));
}

/** The parts of a file, as they are. */
export function file(
  tree: readonly number[],
  data: readonly number[],
  metadata: readonly number[],
): Uint8Array {
  return Uint8Array.from([...tree, ...new Uint8Array(16), ...data, ...MARKER, ...metadata]);
}

export function encode(value: Value): number[] {
  if (value instanceof Raw) return [...value.bytes];
  if (typeof value === "string") return [...control(2, Buffer.byteLength(value)), ...Buffer.from(value)];
  if (typeof value === "boolean") return control(14, value ? 1 : 0);
  if (typeof value === "bigint") return unsigned(9, value);
  if (typeof value === "number")
    return Number.isInteger(value) && value >= 0 ? unsigned(6, BigInt(value)) : double(value);
  return Array.isArray(value)
    ? [...control(11, value.length), ...value.flatMap(encode)]
    : map(Object.entries(value as { [key: string]: Value }));
}

/** A number as IEEE 754 in 8 octets, whole or not. */
export function double(value: number): number[] {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return [...control(3, 8), ...bytes];
}

/** A pointer of 4 octets into the data section. */
export function pointerTo(offset: number): Raw {
  return new Raw(0x38, offset >>> 24, (offset >> 16) & 255, (offset >> 8) & 255, offset & 255);
}

export function control(type: number, size: number): number[] {
  const [bits, more] = sizeBits(size);
  return type < 8 ? [(type << 5) | bits, ...more] : [bits, type - 7, ...more];
}

type Node = [Node | number | undefined, Node | number | undefined];

function insert(root: Node, bits: number[], dataOffset: number): void {
  let node = root;
  const last = bits.pop() as 0 | 1;
  for (const bit of bits as (0 | 1)[]) {
    const next = node[bit];
    const child: Node = Array.isArray(next) ? next : [next, next];
    node[bit] = child;
    node = child;
  }
  node[last] = dataOffset;
}

function bitsOf(prefix: string, family: 4 | 6): number[] {
  const parsed = parsePrefix(prefix);
  if (parsed === undefined) throw new Error(`not a prefix: ${prefix}`);
  const bits = [...parsed.bytes].flatMap((octet) =>
    [7, 6, 5, 4, 3, 2, 1, 0].map((shift) => (octet >> shift) & 1),
  );
  const padding: number[] = family === 6 && parsed.family === 4 ? Array.from({ length: 96 }, () => 0) : [];
  return [...padding, ...bits.slice(0, parsed.length)];
}

function numbered(root: Node): Node[] {
  const nodes: Node[] = [];
  const visit = (node: Node): void => {
    nodes.push(node);
    for (const child of node) if (Array.isArray(child)) visit(child);
  };
  visit(root);
  return nodes;
}

function recordOf(child: Node | number | undefined, nodes: Node[]): number {
  if (child === undefined) return nodes.length;
  return Array.isArray(child) ? nodes.indexOf(child) : nodes.length + 16 + child;
}

function packNode(recordBits: 24 | 28 | 32, zero: number, one: number): number[] {
  const low = (n: number): number[] => [(n >> 16) & 255, (n >> 8) & 255, n & 255];
  const top = (n: number): number => n >>> 24;
  switch (recordBits) {
    case 24:
      return [...low(zero), ...low(one)];
    case 28:
      return [...low(zero), (top(zero) << 4) | top(one), ...low(one)];
    case 32:
      return [top(zero), ...low(zero), top(one), ...low(one)];
  }
}

function metadataOf(draft: Draft, family: number, recordBits: number, nodeCount: number): Value {
  const fields = {
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: BigInt(Date.parse(draft.builtAt ?? "2026-06-01") / 1000),
    database_type: draft.type ?? "Test-City",
    description: { en: "test" },
    ip_version: family,
    node_count: nodeCount,
    record_size: recordBits,
    ...draft.metadata,
  };
  const given = Object.entries(fields) as [string, Value | undefined][];
  return Object.fromEntries(given.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}

function map(entries: readonly (readonly [string, Value])[]): number[] {
  return [
    ...control(7, entries.length),
    ...entries.flatMap(([key, value]) => [...encode(key), ...encode(value)]),
  ];
}

function unsigned(type: number, value: bigint): number[] {
  const hex = value === 0n ? "" : value.toString(16);
  const bytes = [...Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex")];
  return [...control(type, bytes.length), ...bytes];
}

function sizeBits(size: number): [number, number[]] {
  if (size < 29) return [size, []];
  if (size < 285) return [29, [size - 29]];
  if (size < 65_821) return [30, [(size - 285) >> 8, (size - 285) & 255]];
  const rest = size - 65_821;
  return [31, [(rest >> 16) & 255, (rest >> 8) & 255, rest & 255]];
}
