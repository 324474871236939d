/**
 * Mutations of a corpus that grows by what reaches code which no packet before has reached.
 *
 * ```
 * corpus ─► mutate ─► respond, timed ─► every rule ─► has a block of src/dns run for the first time? ─► corpus
 * ```
 *
 * FUZZ_SECONDS is how long, FUZZ_SEED where the numbers start, FUZZ_SAVE=1 keeps what is found, FUZZ_FOLDER has more
 * packets to start from.
 */
import { expect, it } from "vitest";
import { addToCorpus, readCorpus, readPackets } from "./corpus.ts";
import { startCoverage } from "./coverage.ts";
import { checked, faults, SOURCES } from "./fuzz-target.ts";
import { drawsFrom, pick } from "../random.ts";
import { mutate } from "./mutator.ts";

const SECONDS = Number(process.env["FUZZ_SECONDS"] ?? 2);
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
/** Looking at coverage takes as long as some hundreds of packets. */
const AT_ONCE = 250;

interface Shot {
  readonly packet: Uint8Array;
  readonly transport: "udp" | "tcp";
  readonly source: Uint8Array<ArrayBuffer> | undefined;
}

it(
  `${SECONDS} s of packets: none without its rightful reply, none that takes a millisecond`,
  () => {
    faults.length = 0;
    const external = process.env["FUZZ_FOLDER"] === undefined ? [] : readPackets(process.env["FUZZ_FOLDER"]);
    const corpus = [...readCorpus(), ...external];
    const draw = drawsFrom(SEED);
    const coverage = startCoverage("/src/dns/");
    const fire = ({ packet, transport, source }: Shot): void => void checked(packet, transport, source);
    for (const packet of corpus)
      for (const transport of ["udp", "tcp"] as const) fire({ packet, transport, source: SOURCES[0] });
    coverage.take().note();
    const before = coverage.characters;
    const start = process.cpuUsage();
    const endMs = performance.now() + 1000 * SECONDS;
    let packets = 0;
    let found = 0;
    while (performance.now() < endMs) {
      const shots = Array.from({ length: AT_ONCE }, () => shotFrom(corpus, draw));
      shots.forEach(fire);
      packets += shots.length;
      const together = coverage.take();
      if (!together.isNew) continue;
      for (const shot of shots) {
        fire(shot);
        const alone = coverage.take();
        if (!alone.isNew) continue;
        alone.note();
        found++;
        corpus.push(shot.packet);
        if (process.env["FUZZ_SAVE"] === "1") addToCorpus(shot.packet);
      }
      // What comes of several in a row is no packet's own.
      together.note();
    }
    const { user, system } = process.cpuUsage(start);
    const { run, known } = coverage.characters;
    coverage.stop();
    process.stdout.write(
      `${packets} packets in ${((user + system) / 3.6e9).toFixed(3)} CPU hours, seed ${SEED}; ${found} packets reached new code, ` +
        `${before.run} to ${run} of ${known} characters of src/dns\n`,
    );
    expect(packets).toBeGreaterThan(0);
    expect(run).toBeGreaterThan(0);
    expect(faults).toEqual([]);
  },
  60_000 + 2000 * SECONDS,
);

function shotFrom(corpus: readonly Uint8Array[], draw: ReturnType<typeof drawsFrom>): Shot {
  return {
    packet: mutate(pick(corpus, draw), pick(corpus, draw), draw),
    transport: draw(8) === 0 ? "tcp" : "udp",
    source: pick(SOURCES, draw),
  };
}
