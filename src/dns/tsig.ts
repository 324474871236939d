import type { Query } from "./query.ts";
import {
  CLASS_ANY,
  HEADER_OCTETS,
  MAX_LABEL_OCTETS,
  MAX_NAME_OCTETS,
  POINTER,
  readUint16,
  RECORD_FIXED_OCTETS,
  readUint32,
  writeUint16,
} from "./wire.ts";

/**
 * Reads the TSIG record between `start` and `dataEnd`, whose owner ends at `ownerEnd`. False: it is none that can be
 * interpreted, and the packet is malformed (RFC 8945 5.2).
 */
export function readSignature(
  packet: Uint8Array,
  start: number,
  ownerEnd: number,
  dataEnd: number,
  query: Query,
): boolean {
  const data = ownerEnd + RECORD_FIXED_OCTETS;
  const isAsWritten =
    readUint16(packet, ownerEnd + 2) === CLASS_ANY && readUint32(packet, ownerEnd + 4) === 0;
  if (!isAsWritten || !isKeyName(packet, start, ownerEnd, query)) return false;
  const algorithmEnd = endOfPlainName(packet, data, dataEnd);
  const mac = algorithmEnd + TIME_AND_FUDGE_OCTETS + 2;
  if (algorithmEnd < 0 || mac > dataEnd) return false;
  const originalId = mac + readUint16(packet, mac - 2);
  if (originalId + 6 > dataEnd || originalId + 6 + readUint16(packet, originalId + 4) !== dataEnd)
    return false;

  const { signature } = query;
  const { refusal } = signature;
  const macAt = algorithmEnd + TIME_AND_FUDGE_OCTETS - start;
  refusal.set(packet.subarray(start, algorithmEnd + TIME_AND_FUDGE_OCTETS));
  writeUint16(refusal, ownerEnd + 8 - start, macAt + 8 - (data - start));
  writeUint16(refusal, macAt, 0);
  writeUint16(refusal, macAt + 2, readUint16(packet, originalId));
  writeUint16(refusal, macAt + 4, BADKEY);
  writeUint16(refusal, macAt + 6, 0);
  signature.length = macAt + 8;
  signature.isPresent = true;
  return true;
}

/** Plain, or with a pointer to a label of the question, which stands in the same place of the reply. */
function isKeyName(packet: Uint8Array, start: number, end: number, { name, questionEnd }: Query): boolean {
  if (endOfPlainName(packet, start, end) === end) return true;
  const at = readUint16(packet, end - 2) - POINTER - HEADER_OCTETS;
  const isLabel = questionEnd > 0 && name.labelStarts.subarray(0, name.labelCount).includes(at);
  return isLabel && end - 2 - start + name.length - at <= MAX_NAME_OCTETS;
}

/** Where a name without pointers ends; less than 0: it is none, or goes beyond `limit`. */
function endOfPlainName(packet: Uint8Array, start: number, limit: number): number {
  let at = start;
  while (at < limit) {
    const labelOctets = packet[at] as number;
    at += 1 + labelOctets;
    if (labelOctets > MAX_LABEL_OCTETS || at - start > MAX_NAME_OCTETS) return NOWHERE;
    if (labelOctets === 0) return at;
  }
  return NOWHERE;
}

const NOWHERE = -1;
/** RFC 8945 3 */
const BADKEY = 17;
const TIME_AND_FUDGE_OCTETS = 8;
