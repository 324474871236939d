/** Damages packets, each time the same way for the same numbers. */

import type { Draw } from "../random.ts";

/** One to six changes to a packet, some with pieces of another; at most 4096 octets come out. */
export function mutate(packet: Uint8Array, other: Uint8Array, draw: Draw): Uint8Array {
  let mutant = packet;
  for (let left = 1 + draw(6); left > 0; left--)
    mutant = (MUTATIONS[draw(MUTATIONS.length)] as Mutation)(mutant, other, draw);
  return mutant.length > MAX_OCTETS ? mutant.subarray(0, MAX_OCTETS) : mutant;
}

type Mutation = (packet: Uint8Array, other: Uint8Array, draw: Draw) => Uint8Array;

const MAX_OCTETS = 4096;

/** Lengths, counts, types and pointers at which something may begin or end. */
const TELLING_OCTETS = [0, 1, 2, 4, 8, 10, 12, 16, 28, 32, 41, 63, 64, 65, 128, 191, 192, 254, 255];

const flipBit: Mutation = (packet, _, draw) => changed(packet, draw, (octet) => octet ^ (1 << draw(8)));

const setOctet: Mutation = (packet, _, draw) => changed(packet, draw, () => draw(256));

const setTellingOctet: Mutation = (packet, _, draw) =>
  changed(packet, draw, () => TELLING_OCTETS[draw(TELLING_OCTETS.length)] as number);

const nudgeOctet: Mutation = (packet, _, draw) =>
  changed(packet, draw, (octet) => (octet + (draw(2) === 0 ? 1 : 255)) & 0xff);

const changeCase: Mutation = (packet, _, draw) => changed(packet, draw, (octet) => octet ^ 0x20);

const cut: Mutation = (packet, _, draw) => packet.subarray(0, draw(packet.length + 1));

const remove: Mutation = (packet, _, draw) => {
  const [from, to] = span(packet, draw);
  return joined(packet.subarray(0, from), packet.subarray(to));
};

const repeat: Mutation = (packet, _, draw) => {
  const [from, to] = span(packet, draw);
  return joined(packet.subarray(0, to), packet.subarray(from));
};

const insert: Mutation = (packet, other, draw) => {
  const at = draw(packet.length + 1);
  const [from, to] = span(other, draw);
  return joined(packet.subarray(0, at), other.subarray(from, to), packet.subarray(at));
};

const splice: Mutation = (packet, other, draw) =>
  joined(packet.subarray(0, draw(packet.length + 1)), other.subarray(draw(other.length + 1)));

const setCount: Mutation = (packet, _, draw) => {
  const copy = packet.slice();
  const at = 4 + draw(8);
  if (at < copy.length) copy[at] = draw(4);
  return copy;
};

const MUTATIONS: readonly Mutation[] = [
  flipBit,
  setOctet,
  setTellingOctet,
  nudgeOctet,
  changeCase,
  cut,
  remove,
  repeat,
  insert,
  splice,
  setCount,
];

function changed(packet: Uint8Array, draw: Draw, change: (octet: number) => number): Uint8Array {
  if (packet.length === 0) return packet;
  const copy = packet.slice();
  const at = draw(copy.length);
  copy[at] = change(copy[at] as number);
  return copy;
}

function span(packet: Uint8Array, draw: Draw): [number, number] {
  const from = draw(packet.length + 1);
  return [from, Math.min(packet.length, from + draw(40))];
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}
