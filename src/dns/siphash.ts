/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012) of the first `length` octets, with a key of 16 octets. Writes
 * the 8 octets of the hash at `into[at]`. The 64-bit words are pairs of 32-bit halves, `h` high and `l`
 * low, in variables of their own: several times faster than BigInt or an array.
 */
export function sipHash(
  key: Uint8Array,
  data: Uint8Array,
  length: number,
  into: Uint8Array,
  at: number,
): void {
  // "somepseudorandomlygeneratedbytes"
  let v0h = 0x736f6d65 ^ readLittle(key, 4, 16);
  let v0l = 0x70736575 ^ readLittle(key, 0, 16);
  let v1h = 0x646f7261 ^ readLittle(key, 12, 16);
  let v1l = 0x6e646f6d ^ readLittle(key, 8, 16);
  let v2h = 0x6c796765 ^ readLittle(key, 4, 16);
  let v2l = 0x6e657261 ^ readLittle(key, 0, 16);
  let v3h = 0x74656462 ^ readLittle(key, 12, 16);
  let v3l = 0x79746573 ^ readLittle(key, 8, 16);

  const words = (length >> 3) + 1;
  for (let word = 0; word <= words; word++) {
    const isEnd = word === words;
    const isLast = word === words - 1;
    const low = isEnd ? 0 : readLittle(data, word * 8, length);
    const high = isEnd ? 0 : readLittle(data, word * 8 + 4, length) | (isLast ? length << 24 : 0);
    v3l ^= low;
    v3h ^= high;
    if (isEnd) v2l ^= 0xff;
    for (let round = isEnd ? 4 : 2; round > 0; round--) {
      let sum = (v0l + v1l) | 0;
      v0h = (v0h + v1h + carry(sum, v0l)) | 0;
      v0l = sum;
      let high32 = v1h;
      v1h = ((v1h << 13) | (v1l >>> 19)) ^ v0h;
      v1l = ((v1l << 13) | (high32 >>> 19)) ^ v0l;
      high32 = v0h;
      v0h = v0l;
      v0l = high32;

      sum = (v2l + v3l) | 0;
      v2h = (v2h + v3h + carry(sum, v2l)) | 0;
      v2l = sum;
      high32 = v3h;
      v3h = ((v3h << 16) | (v3l >>> 16)) ^ v2h;
      v3l = ((v3l << 16) | (high32 >>> 16)) ^ v2l;

      sum = (v0l + v3l) | 0;
      v0h = (v0h + v3h + carry(sum, v0l)) | 0;
      v0l = sum;
      high32 = v3h;
      v3h = ((v3h << 21) | (v3l >>> 11)) ^ v0h;
      v3l = ((v3l << 21) | (high32 >>> 11)) ^ v0l;

      sum = (v2l + v1l) | 0;
      v2h = (v2h + v1h + carry(sum, v2l)) | 0;
      v2l = sum;
      high32 = v1h;
      v1h = ((v1h << 17) | (v1l >>> 15)) ^ v2h;
      v1l = ((v1l << 17) | (high32 >>> 15)) ^ v2l;
      high32 = v2h;
      v2h = v2l;
      v2l = high32;
    }
    v0l ^= low;
    v0h ^= high;
  }
  writeLittle(into, at, v0l ^ v1l ^ v2l ^ v3l);
  writeLittle(into, at + 4, v0h ^ v1h ^ v2h ^ v3h);
}

/** What an addition of 32 bits lost. */
function carry(sum: number, summand: number): number {
  return sum >>> 0 < summand >>> 0 ? 1 : 0;
}

/** Octets from `end` on count as zero. */
function readLittle(octets: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end) {
    return (
      (octets[at] as number) |
      ((octets[at + 1] as number) << 8) |
      ((octets[at + 2] as number) << 16) |
      ((octets[at + 3] as number) << 24)
    );
  }
  let value = 0;
  for (let i = at; i < end; i++) value |= (octets[i] as number) << (8 * (i - at));
  return value;
}

function writeLittle(octets: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) octets[at + i] = value >>> (8 * i);
}
