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
import { addToCorpus, readCorpus, readPackets } from "./corpus.ts";
import { checked, faults, kindOf, SOURCES } from "./fuzz-target.ts";
import { drawsFrom, pick } from "../random.ts";
import { mutate } from "./mutator.ts";

const PACKETS = Number(process.env["FUZZ_PACKETS"] ?? 60_000);
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
/** One second for ten thousand packets, and a minute. */
const TIMEOUT_MS = 60_000 + PACKETS / 10;

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
      expect(faults).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
