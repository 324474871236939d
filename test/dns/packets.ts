/** Queries built octet by octet, so that they can be wrong in every way. */
export interface QueryParts {
  readonly name?: string;
  readonly type?: number;
  readonly class?: number;
  readonly id?: number;
  readonly flags?: number;
  readonly edns?: Edns;
  /** What the header says instead of the truth: QD, AN, NS, AR. */
  readonly counts?: readonly [number, number, number, number];
  /** Records after the question, and how the header counts them. */
  readonly records?: readonly { readonly section: 1 | 2 | 3; readonly octets: Uint8Array }[];
  /** Octets at the end that nothing counts. */
  readonly junk?: Uint8Array;
}

export interface Edns {
  readonly size?: number;
  readonly version?: number;
  readonly flags?: number;
  readonly options?: readonly Uint8Array[];
}

export const TYPES = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  DS: 43,
  SVCB: 64,
  HTTPS: 65,
  TKEY: 249,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
  CAA: 257,
} as const;

export function query(parts: QueryParts = {}): Buffer {
  const { id = 0x1234, flags = 0, name, type = TYPES.A, edns, junk, records = [] } = parts;
  const question = name === undefined ? [] : [...nameOctets(name), ...u16(type), ...u16(parts.class ?? 1)];
  const additional = edns === undefined ? [] : [...opt(edns)];
  const counted = (section: number) => records.filter((record) => record.section === section);
  const counts = parts.counts ?? [
    name === undefined ? 0 : 1,
    counted(1).length,
    counted(2).length,
    counted(3).length + (edns === undefined ? 0 : 1),
  ];
  return Buffer.from([
    ...u16(id),
    ...u16(flags),
    ...counts.flatMap(u16),
    ...question,
    ...[...counted(1), ...counted(2)].flatMap(({ octets }) => [...octets]),
    ...additional,
    ...counted(3).flatMap(({ octets }) => [...octets]),
    ...(junk ?? []),
  ]);
}

/** Labels by dots; case kept. */
export function nameOctets(name: string): number[] {
  const labels = name === "" || name === "." ? [] : name.split(".");
  return [...labels.flatMap((label) => [label.length, ...Buffer.from(label, "latin1")]), 0];
}

export function record(owner: readonly number[], type: number, data: readonly number[], ttl = 0): Uint8Array {
  return Uint8Array.from([
    ...owner,
    ...u16(type),
    ...u16(1),
    ...u16(0),
    ...u16(ttl),
    ...u16(data.length),
    ...data,
  ]);
}

export function opt({ size = 1232, version = 0, flags = 0, options = [] }: Edns = {}): Uint8Array {
  const data = options.flatMap((option) => [...option]);
  return Uint8Array.from([
    0,
    ...u16(TYPES.OPT),
    ...u16(size),
    0,
    version,
    ...u16(flags),
    ...u16(data.length),
    ...data,
  ]);
}

export function option(code: number, data: readonly number[] = []): Uint8Array {
  return Uint8Array.from([...u16(code), ...u16(data.length), ...data]);
}

/** Client subnet (RFC 7871 6) with as many address octets as given. */
export function subnet(family: number, source: number, address: readonly number[], scope = 0): Uint8Array {
  return option(8, [...u16(family), source, scope, ...address]);
}

export function u16(value: number): [number, number] {
  return [(value >> 8) & 0xff, value & 0xff];
}

/** A name of exactly that many octets on the wire, below the suffix. */
export function longName(octets: number, suffix: string): string {
  let name = suffix;
  const missing = (): number => octets - nameOctets(name).length;
  while (missing() > 65) name = `${"x".repeat(61)}.${name}`;
  while (missing() > 1) name = `${"y".repeat(Math.min(missing() - 1, missing() > 64 ? 30 : 63))}.${name}`;
  return name;
}
