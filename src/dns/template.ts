import { CLASS_IN, writeUint16, writeUint32 } from "./wire.ts";

/** Octets with holes of two octets for pointers (RFC 1035 4.1.4) to where a message will hold a name. */
export interface Template {
  readonly octets: Uint8Array;
  /** For the owner's name. */
  readonly ownerHoles: readonly number[];
  /** For the zone's name. */
  readonly zoneHoles: readonly number[];
  /** For names that were written before. */
  readonly backHoles: readonly BackHole[];
}

export interface BackHole {
  readonly at: number;
  /** Where the name is, in octets from the start of the first of the sets that belong together. */
  readonly to: number;
}

/** An RRset in wire form but for its pointers. */
export interface RecordSet extends Template {
  /** How many records it is. */
  readonly count: number;
}

/** Pointers that stand alone. */
export const OWNER: Template = { octets: new Uint8Array(2), ownerHoles: [0], zoneHoles: [], backHoles: [] };
export const ZONE: Template = { octets: new Uint8Array(2), ownerHoles: [], zoneHoles: [0], backHoles: [] };

/** Records of one type with one owner. */
export function setOf(
  owner: Template,
  type: number,
  ttlSeconds: number,
  data: readonly Template[],
  ofClass: number = CLASS_IN,
): RecordSet {
  const records = data.flatMap((one) => [
    owner,
    fixedFields(type, ttlSeconds, one.octets.length, ofClass),
    one,
  ]);
  return { ...joined(records), count: data.length };
}

/** TYPE, CLASS, TTL, RDLENGTH. */
export function fixedFields(
  type: number,
  ttlSeconds: number,
  dataOctets: number,
  ofClass = CLASS_IN,
): Template {
  return plain(...uint16(type), ...uint16(ofClass), ...uint32(ttlSeconds), ...uint16(dataOctets));
}

export function joined(parts: readonly Template[]): Template {
  const octets = new Uint8Array(parts.reduce((sum, part) => sum + part.octets.length, 0));
  const ownerHoles: number[] = [];
  const zoneHoles: number[] = [];
  const backHoles: BackHole[] = [];
  let start = 0;
  for (const part of parts) {
    octets.set(part.octets, start);
    for (const hole of part.ownerHoles) ownerHoles.push(start + hole);
    for (const hole of part.zoneHoles) zoneHoles.push(start + hole);
    for (const { at, to } of part.backHoles) backHoles.push({ at: start + at, to });
    start += part.octets.length;
  }
  return { octets, ownerHoles, zoneHoles, backHoles };
}

export function plain(...octets: number[]): Template {
  return template(octets);
}

/** Of any length: as arguments, tens of thousands would be too many. */
export function template(octets: Iterable<number>): Template {
  return { octets: Uint8Array.from(octets), ownerHoles: [], zoneHoles: [], backHoles: [] };
}

export function uint16(value: number): number[] {
  const octets = new Uint8Array(2);
  writeUint16(octets, 0, value);
  return [...octets];
}

export function uint32(value: number): number[] {
  const octets = new Uint8Array(4);
  writeUint32(octets, 0, value);
  return [...octets];
}
