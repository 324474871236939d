/** What packets are thrown at, and the rules that each reply is held to. */
import { keepReplies } from "../../src/dns/kept-replies.ts";
import { prepareReplies } from "../../src/dns/prepared-replies.ts";
import type { PacketRoom } from "../../src/dns/batch-memory.ts";
import type { Transport } from "../../src/dns/counters.ts";
import type { Reply } from "./answers.ts";
import { recall } from "./fixture.ts";
import { responder, UNCOUNTED } from "./harness.ts";
import { checkReply } from "./reply-rules.ts";

/** No packet may hold up the next one longer. */
const MAX_DELAY_MS = 1;

/** What was met that nobody foresaw; the fixture's one hostname with a bug in its decision is left out. */
export const faults: unknown[] = [];
const dns = responder({
  onFault: (error) => {
    if (!(error instanceof Error && error.message === "a bug")) faults.push(error);
  },
});
const prepared = prepareReplies({
  respond: (packet, length, source, out, known) =>
    dns.respond(packet.octets, length, source, "udp", out.octets, known),
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

/** Who asks. */
export const SOURCES = [
  Uint8Array.of(127, 0, 0, 1),
  Uint8Array.of(198, 51, 100, 7),
  Uint8Array.from([0x20, 1, 0xd, 0xb8, ...Array.from({ length: 12 }, () => 7)]),
];
const packetRoom = room(65_536);
const outRoom = room(65_536);

/** @throws with the packet, if any rule is broken */
export function checked(packet: Uint8Array, transport: Transport, source = SOURCES[0]): Reply | undefined {
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
export function kindOf(transport: Transport, reply: Reply | undefined): string {
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

function room(octets: number): PacketRoom {
  const buffer = new ArrayBuffer(octets);
  return { octets: new Uint8Array(buffer), words: new Int32Array(buffer) };
}
