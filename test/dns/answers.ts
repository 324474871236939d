import dnsPacket, { type DecodedPacket } from "dns-packet";
import { Packet } from "dns2";

/** A reply as two independent decoders and our own eyes see it. */
export interface Reply {
  readonly octets: Buffer;
  readonly id: number;
  readonly opcode: number;
  /** With the upper bits from OPT. */
  readonly rcode: number;
  readonly aa: boolean;
  readonly tc: boolean;
  readonly rd: boolean;
  readonly ra: boolean;
  readonly z: boolean;
  readonly ad: boolean;
  readonly cd: boolean;
  /** QD, AN, NS, AR */
  readonly counts: readonly number[];
  readonly question: Buffer;
  readonly packet: DecodedPacket;
  readonly opt: Opt | undefined;
}

export interface Opt {
  readonly size: number;
  readonly version: number;
  readonly flags: number;
  readonly options: ReadonlyMap<number, Buffer>;
}

/** Throws unless dns2 and dns-packet both take every octet of it. */
export function decode(octets: Buffer): Reply {
  const packet = dnsPacket.decode(octets);
  if (dnsPacket.decode.bytes !== octets.length) throw new Error("octets after the last record");
  const counts = [4, 6, 8, 10].map((at) => octets.readUInt16BE(at));
  const opt = optOf(packet);
  if (!isBeyondDns2(opt)) expectDns2Agrees(octets, counts);
  const flags = octets.readUInt16BE(2);
  if ((flags & 0x8000) === 0) throw new Error("QR is not set");
  return {
    octets,
    id: octets.readUInt16BE(0),
    opcode: (flags >> 11) & 0xf,
    rcode: (flags & 0xf) | extendedRcode(packet),
    aa: (flags & 0x400) !== 0,
    tc: (flags & 0x200) !== 0,
    rd: (flags & 0x100) !== 0,
    ra: (flags & 0x80) !== 0,
    z: (flags & 0x40) !== 0,
    ad: (flags & 0x20) !== 0,
    cd: (flags & 0x10) !== 0,
    counts,
    question: counts[0] === 0 ? Buffer.alloc(0) : octets.subarray(12, questionEnd(octets)),
    packet,
    opt,
  };
}

function expectDns2Agrees(octets: Buffer, counts: readonly number[]): void {
  const seen = Packet.parse(octets);
  if (seen.errors.length > 0) throw new Error(`dns2: ${String(seen.errors[0])}`);
  const theirs = [seen.questions, seen.answers, seen.authorities, seen.additionals].map(
    ({ length }) => length,
  );
  if (counts.join() !== theirs.join()) throw new Error(`dns2 sees ${theirs.join()} of ${counts.join()}`);
}

/** dns2 3.1.1 reads the octets of an IPv6 subnet by twos, also where their number is odd. */
function isBeyondDns2(opt: Opt | undefined): boolean {
  const subnet = opt?.options.get(8);
  return subnet !== undefined && subnet[1] === 2 && subnet.length % 2 === 1;
}

function questionEnd(octets: Buffer): number {
  let at = 12;
  while (octets[at] !== 0) at += 1 + (octets[at] ?? 0);
  return at + 5;
}

function optRecord(packet: DecodedPacket) {
  const found = (packet.additionals ?? []).filter(({ type }) => type === "OPT");
  if (found.length > 1) throw new Error("two OPT records");
  const record = found[0];
  return record?.type === "OPT" ? record : undefined;
}

function optOf(packet: DecodedPacket): Opt | undefined {
  const record = optRecord(packet);
  if (record === undefined) return undefined;
  const options = new Map<number, Buffer>();
  for (const { code, data } of record.options as unknown as { code: number; data: Buffer }[]) {
    if (options.has(code)) throw new Error(`option ${code} twice`);
    options.set(code, data);
  }
  return { size: record.udpPayloadSize, version: record.ednsVersion, flags: record.flags, options };
}

function extendedRcode(packet: DecodedPacket): number {
  return (optRecord(packet)?.extendedRcode ?? 0) << 4;
}

/** Data of the answers of a type, in order. */
export function data(reply: Reply, type: string): unknown[] {
  return (reply.packet.answers ?? [])
    .filter((one) => one.type === type)
    .map((one) => ("data" in one ? one.data : one));
}

/** The SOA that goes with a "no", and that there is nothing else with it. */
export function negativeTtl(reply: Reply): number | undefined {
  const [soa, ...rest] = reply.packet.authorities ?? [];
  return soa?.type === "SOA" && rest.length === 0 ? soa.ttl : undefined;
}

export const RCODES = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  NOTAUTH: 9,
  BADVERS: 16,
} as const;
