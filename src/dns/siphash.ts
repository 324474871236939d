/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012) of the first `length` octets, with a key of 16 octets. Writes
 * the 8 octets of the hash at `into[at]`. 64-bit words are pairs of 32-bit halves: [low, high].
 */
export function sipHash(
  key: Uint8Array,
  data: Uint8Array,
  length: number,
  into: Uint8Array,
  at: number,
): void {
  for (let i = 0; i < 8; i++) state[i] = (INITIAL[i] as number) ^ readLittle(key, (i & 3) * 4);
  const blocksEnd = length - (length & 7);
  for (let i = 0; i < blocksEnd; i += 8) compress(readLittle(data, i), readLittle(data, i + 4));
  for (let i = 0; i < 8; i++) tail[i] = i < (length & 7) ? (data[blocksEnd + i] as number) : 0;
  tail[7] = length;
  compress(readLittle(tail, 0), readLittle(tail, 4));

  state[4] = (state[4] as number) ^ 0xff;
  for (let i = 0; i < 4; i++) round();
  for (let half = 0; half < 2; half++) {
    const word =
      (state[half] as number) ^
      (state[2 + half] as number) ^
      (state[4 + half] as number) ^
      (state[6 + half] as number);
    for (let i = 0; i < 4; i++) into[at + half * 4 + i] = word >>> (8 * i);
  }
}

/** "somepseudorandomlygeneratedbytes", as v0 to v3, low half first. */
const INITIAL = Int32Array.of(
  0x70736575,
  0x736f6d65,
  0x6e646f6d,
  0x646f7261,
  0x6e657261,
  0x6c796765,
  0x79746573,
  0x74656462,
);

/** v0 to v3, low half first. */
const state = new Int32Array(8);
const tail = new Uint8Array(8);

function compress(low: number, high: number): void {
  state[6] = (state[6] as number) ^ low;
  state[7] = (state[7] as number) ^ high;
  round();
  round();
  state[0] = (state[0] as number) ^ low;
  state[1] = (state[1] as number) ^ high;
}

function round(): void {
  add(0, 2);
  rotate(2, 13);
  xor(2, 0);
  rotate(0, 32);
  add(4, 6);
  rotate(6, 16);
  xor(6, 4);
  add(0, 6);
  rotate(6, 21);
  xor(6, 0);
  add(4, 2);
  rotate(2, 17);
  xor(2, 4);
  rotate(4, 32);
}

function add(to: number, from: number): void {
  const low = ((state[to] as number) >>> 0) + ((state[from] as number) >>> 0);
  state[to] = low;
  state[to + 1] = (state[to + 1] as number) + (state[from + 1] as number) + (low > 0xffffffff ? 1 : 0);
}

function xor(to: number, from: number): void {
  state[to] = (state[to] as number) ^ (state[from] as number);
  state[to + 1] = (state[to + 1] as number) ^ (state[from + 1] as number);
}

function rotate(word: number, bits: number): void {
  const low = state[word] as number;
  const high = state[word + 1] as number;
  if (bits === 32) {
    state[word] = high;
    state[word + 1] = low;
    return;
  }
  state[word] = (low << bits) | (high >>> (32 - bits));
  state[word + 1] = (high << bits) | (low >>> (32 - bits));
}

function readLittle(octets: Uint8Array, at: number): number {
  return (
    (octets[at] as number) |
    ((octets[at + 1] as number) << 8) |
    ((octets[at + 2] as number) << 16) |
    ((octets[at + 3] as number) << 24)
  );
}
