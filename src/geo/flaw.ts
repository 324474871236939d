/**
 * A bounded look at a value of a MaxMind DB before it is decoded. The decoder itself follows pointers
 * without end, allocates whatever an array claims to hold, and reads numbers of any size.
 */
import {
  ARRAY,
  BOOLEAN,
  BYTES,
  DOUBLE,
  FLOAT,
  INT32,
  MAP,
  POINTER,
  POINTER_BASES,
  SIZE_BASES,
  UINT16,
  UINT32,
  UINT64,
  UINT128,
  UTF8,
} from "./data-section.ts";

/** More than any published record has: GeoIP2 Enterprise stays below 300 values, 4 levels deep. */
const MAX_VALUES = 4096;
const MAX_DEPTH = 32;

/** What is wrong with the value at `offset`; pointers count from `base`, and nothing may reach `end`. */
export function flawOf(file: Uint8Array, offset: number, base: number, end: number): string | undefined {
  const bounds = { file, base, end, valuesLeft: MAX_VALUES };
  const next = skip(bounds, offset, MAX_DEPTH);
  return typeof next === "string" ? next : undefined;
}

interface Bounds {
  readonly file: Uint8Array;
  readonly base: number;
  readonly end: number;
  valuesLeft: number;
}

/** The offset after the value, or what is wrong with it. */
function skip(bounds: Bounds, offset: number, depthLeft: number): number | string {
  if (depthLeft === 0) return "nested too deeply, or a pointer that leads back to itself";
  if (bounds.valuesLeft-- === 0) return "more values than a record can have reason to hold";
  if (offset < bounds.base || offset >= bounds.end) return "a value outside its section";
  const control = bounds.file[offset] as number;
  if (control >> 5 === POINTER) return skipPointer(bounds, offset, control, depthLeft);
  const extended = control >> 5 === 0;
  const type = extended ? extendedType(bounds.file[offset + 1]) : control >> 5;
  const sized = sizeOf(bounds, offset + (extended ? 2 : 1), control & 0x1f);
  return sized.start > bounds.end
    ? "a value that is cut short"
    : skipBody(bounds, type, sized.start, sized.size, depthLeft);
}

/** The octet after the control octet counts from type 7, which it cannot be. */
function extendedType(octet: number | undefined): number | undefined {
  return octet === undefined || octet === 0 ? undefined : octet + 7;
}

function skipPointer(bounds: Bounds, offset: number, control: number, depthLeft: number): number | string {
  const octets = ((control >> 3) & 3) + 1;
  const after = offset + 1 + octets;
  if (after > bounds.end) return "a pointer that is cut short";
  const target = skip(bounds, pointerTarget(bounds, offset, control, octets), depthLeft - 1);
  return typeof target === "string" ? target : after;
}

function pointerTarget(bounds: Bounds, offset: number, control: number, octets: number): number {
  const upper = octets === 4 ? 0 : control & 7;
  return (
    bounds.base + (POINTER_BASES[octets - 1] as number) + bigEndian(bounds.file, offset + 1, octets, upper)
  );
}

function sizeOf(bounds: Bounds, start: number, size: number): { start: number; size: number } {
  if (size < 29) return { start, size };
  const octets = size - 28;
  const base = SIZE_BASES[octets - 1] as number;
  return { start: start + octets, size: base + bigEndian(bounds.file, start, octets, 0) };
}

function skipBody(
  bounds: Bounds,
  type: number | undefined,
  start: number,
  size: number,
  depthLeft: number,
): number | string {
  switch (type) {
    case MAP:
      return skipMembers(bounds, start, size, true, depthLeft);
    case ARRAY:
      return skipMembers(bounds, start, size, false, depthLeft);
    case BOOLEAN:
      return size <= 1 ? start : "a boolean that is neither true nor false";
    case UTF8:
    case BYTES:
      return skipOctets(bounds, start, size, size);
    case DOUBLE:
      return size === 8 ? skipOctets(bounds, start, size, 8) : "a double that is not 8 octets";
    case FLOAT:
      return size === 4 ? skipOctets(bounds, start, size, 4) : "a float that is not 4 octets";
    case UINT16:
      return skipOctets(bounds, start, size, 2);
    case UINT32:
    case INT32:
      return skipOctets(bounds, start, size, 4);
    case UINT64:
      return skipOctets(bounds, start, size, 8);
    case UINT128:
      return skipOctets(bounds, start, size, 16);
    default:
      return "a value of no known type";
  }
}

function skipMembers(
  bounds: Bounds,
  start: number,
  size: number,
  keyed: boolean,
  depthLeft: number,
): number | string {
  if (size > bounds.valuesLeft) return "more values than a record can have reason to hold";
  let offset = start;
  for (let i = 0; i < size; i++) {
    if (keyed) {
      if (!isText(bounds, offset)) return "a map key that is not a text";
      const afterKey = skip(bounds, offset, depthLeft - 1);
      if (typeof afterKey === "string") return afterKey;
      offset = afterKey;
    }
    const after = skip(bounds, offset, depthLeft - 1);
    if (typeof after === "string") return after;
    offset = after;
  }
  return offset;
}

function isText(bounds: Bounds, offset: number): boolean {
  const control = bounds.file[offset] as number;
  if (control >> 5 !== POINTER) return control >> 5 === UTF8;
  const target = bounds.file[pointerTarget(bounds, offset, control, ((control >> 3) & 3) + 1)];
  return target !== undefined && target >> 5 === UTF8;
}

function skipOctets(bounds: Bounds, start: number, size: number, most: number): number | string {
  if (size > most) return "a number wider than its type";
  return start + size <= bounds.end ? start + size : "a value that reaches past its section";
}

function bigEndian(file: Uint8Array, start: number, octets: number, upper: number): number {
  let value = upper;
  for (let i = 0; i < octets; i++) value = value * 256 + (file[start + i] ?? 0);
  return value;
}
