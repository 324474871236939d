/** Shared memory that one thread puts lines into and another takes them out of, neither ever waiting. */
export interface LineRing {
  /** Octets put and taken so far, modulo 2^32, and lines that found no room. */
  readonly control: Int32Array;
  /** Of a size that is a power of two. */
  readonly octets: Uint8Array;
}

const [PUT, TAKEN, DROPPED] = [0, 1, 2];

/** @param size octets, a power of two */
export function newLineRing(size: number): LineRing {
  return {
    control: new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT)),
    octets: new Uint8Array(new SharedArrayBuffer(size)),
  };
}

/** For one thread alone. A line that does not fit is dropped and counted. */
export function putLine({ control, octets }: LineRing, line: Uint8Array): void {
  const put = Atomics.load(control, PUT);
  const used = (put - Atomics.load(control, TAKEN)) | 0;
  if (used + line.length > octets.length) {
    Atomics.add(control, DROPPED, 1);
    return;
  }
  const at = put & (octets.length - 1);
  const whole = Math.min(line.length, octets.length - at);
  octets.set(line.subarray(0, whole), at);
  octets.set(line.subarray(whole), 0);
  Atomics.store(control, PUT, (put + line.length) | 0);
}

/** For one other thread: all lines that are there, a copy; empty for none. */
export function takeLines({ control, octets }: LineRing): Buffer {
  const taken = Atomics.load(control, TAKEN);
  const count = (Atomics.load(control, PUT) - taken) | 0;
  const lines = Buffer.alloc(count);
  const at = taken & (octets.length - 1);
  const whole = Math.min(count, octets.length - at);
  lines.set(octets.subarray(at, at + whole), 0);
  lines.set(octets.subarray(0, count - whole), whole);
  Atomics.store(control, TAKEN, (taken + count) | 0);
  return lines;
}

/** Lines that found no room so far. */
export function droppedLines({ control }: LineRing): number {
  return Atomics.load(control, DROPPED) >>> 0;
}
