/**
 * Mutations of a corpus of packets through decode, respond and encode.
 *
 * ```
 * corpus ─► mutate ─► respond, timed ─► every rule ─► a kind of reply not seen before? ─► corpus
 * ```
 *
 * `npm run fuzz` runs long and keeps what it finds in corpus.hex. FUZZ_PACKETS is how many, FUZZ_SEED where the
 * numbers start, FUZZ_SAVE=1 keeps, FUZZ_FOLDER has more packets to start from, a file each.
 */
import { describe, expect, it } from "vitest";
import { keepReplies } from "../../src/dns/kept-replies.ts";
import { prepareReplies } from "../../src/dns/prepared-replies.ts";
import type { PacketRoom } from "../../src/dns/batch.ts";
import type { Transport } from "../../src/dns/counters.ts";
import type { Reply } from "./answers.ts";
import { recall } from "./fixture.ts";
import { addToCorpus, readCorpus, readPackets } from "./corpus.ts";
import { responder, UNCOUNTED } from "./harness.ts";
import { drawsFrom } from "../random.ts";
import { mutate } from "./mutator.ts";
import { checkReply } from "./reply-rules.ts";

const PACKETS = Number(process.env["FUZZ_PACKETS"] ?? 60_000);
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
/** One second for ten thousand packets, and a minute. */
const TIMEOUT_MS = 60_000 + PACKETS / 10;
/** No packet may hold up the next one longer. */
const MAX_DELAY_MS = 1;

const faults: unknown[] = [];
const dns = responder({ onFault: (error) => faults.push(error) });
const prepared = prepareReplies({
  respond: (packet, length, source, out) => dns.respond(packet.octets, length, source, "udp", out.octets),
  responder: dns,
  counters: UNCOUNTED,
  recall,
});
const kept = keepReplies({
  respond: prepared.respond,
  responder: dns,
  counters: UNCOUNTED,
  keep: () => () => true,
  repeatable: prepared.repeatable,
});

const SOURCES = [
  Uint8Array.of(127, 0, 0, 1),
  Uint8Array.of(198, 51, 100, 7),
  Uint8Array.from([0x20, 1, 0xd, 0xb8, ...Array.from({ length: 12 }, () => 7)]),
];
const packetRoom = room(65_536);
const outRoom = room(65_536);
const external = process.env["FUZZ_FOLDER"] === undefined ? [] : readPackets(process.env["FUZZ_FOLDER"]);

describe("mutations", () => {
  it(
    `${PACKETS} packets: none without its rightful reply, none that takes a millisecond`,
    () => {
      faults.length = 0;
      const seen = new Set<string>();
      const corpus = [...readCorpus(), ...external];
      const started = performance.now();
      for (const packet of corpus)
        for (const transport of ["udp", "tcp"] as const)
          seen.add(kindOf(transport, checked(packet, transport)));

      const draw = drawsFrom(SEED);
      const kinds = seen.size;
      let longest = 0;
      for (let i = 0; i < PACKETS; i++) {
        const packet = mutate(pick(corpus, draw), pick(corpus, draw), draw);
        const transport = draw(8) === 0 ? "tcp" : "udp";
        const kind = kindOf(transport, checked(packet, transport, SOURCES[draw(SOURCES.length)]));
        longest = Math.max(longest, packet.length);
        if (seen.has(kind)) continue;
        seen.add(kind);
        corpus.push(packet);
        if (process.env["FUZZ_SAVE"] === "1") addToCorpus(packet);
      }
      const seconds = Math.round((performance.now() - started) / 1000);
      process.stdout.write(
        `${corpus.length} packets in the corpus, ${PACKETS} mutations of up to ${longest} octets in ${seconds} s, ` +
          `seed ${SEED}; ${seen.size} kinds of reply, ${seen.size - kinds} of them new\n`,
      );
      // The fixture's one hostname with a bug in its decision is the only fault there may be.
      expect(faults.filter((fault) => !(fault instanceof Error && fault.message === "a bug"))).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

/** @throws with the packet, if any rule is broken */
function checked(packet: Uint8Array, transport: Transport, source = SOURCES[0]): Reply | undefined {
  try {
    const octets = timed(packet, transport, source as Uint8Array);
    return checkReply(
      packet,
      transport,
      octets === 0 ? undefined : Buffer.from(outRoom.octets.subarray(0, octets)),
    );
  } catch (error) {
    throw new Error(`${transport} ${Buffer.from(packet).toString("hex")}`, { cause: error });
  }
}

/** What takes long once may have been interrupted: only what does each time is slow. */
function timed(packet: Uint8Array, transport: Transport, source: Uint8Array): number {
  let octets = 0;
  for (let tries = 0; tries < 10; tries++) {
    const startMs = performance.now();
    octets = respond(packet, transport, source);
    if (performance.now() - startMs <= MAX_DELAY_MS) return octets;
  }
  throw new Error(`takes more than ${MAX_DELAY_MS} ms`);
}

/** UDP as threads with batches answer it. */
function respond(packet: Uint8Array, transport: Transport, source: Uint8Array): number {
  packetRoom.octets.set(packet);
  // The words are read beyond the end, as in a buffer that packets before have used.
  packetRoom.octets.fill(0xa5, packet.length, packet.length + 4);
  if (transport === "udp") return kept.respond(packetRoom, packet.length, source, outRoom);
  return dns.respond(packetRoom.octets, packet.length, source, "tcp", outRoom.octets);
}

/** What tells replies apart that were made in different ways. */
function kindOf(transport: Transport, reply: Reply | undefined): string {
  if (reply === undefined) return "none";
  const { rcode, opcode, aa, tc, rd, cd, counts, opt, octets, packet } = reply;
  const options = opt === undefined ? "-" : [...opt.options.keys()].sort((a, b) => a - b).join("+");
  const types = (packet.answers ?? []).map(({ type }) => type);
  return [
    transport,
    // What is not supported is answered alike, whatever it is.
    Number(opcode !== 0),
    rcode,
    Number(aa) + 2 * Number(tc) + 4 * Number(rd) + 8 * Number(cd),
    counts.map((count) => Math.min(count, 4)),
    [...new Set(types)],
    options,
    32 - Math.clz32(octets.length),
  ].join(" ");
}

function pick(corpus: readonly Uint8Array[], draw: (below: number) => number): Uint8Array {
  return corpus[draw(corpus.length)] as Uint8Array;
}

function room(octets: number): PacketRoom {
  const buffer = new ArrayBuffer(octets);
  return { octets: new Uint8Array(buffer), words: new Int32Array(buffer) };
}
