/** What strangers and clocks do to the DNS door of a running service; prints the figures of docs/robustness.md. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { option, query, record } from "../dns/packets.ts";
import { type FakeEdge, startEdge } from "./fake-edge.ts";
import { LIVE, LONDON, referenceConfig, withPackagedDatabases } from "./reference.ts";
import { sleep } from "./wait.ts";
import { takeFolder, takeNetwork } from "./network.ts";
import { firstEdges, type Service, startService } from "./harness.ts";

const FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
const ROUNDS = 20;
const DAY_SECONDS = 86_400;

const network = takeNetwork();
const { folder, remove } = takeFolder();
const clock = join(folder, "clock");
let edges: FakeEdge[];
let service: Service;

/** The service's wall clock, as an offset from ours. */
function setClock(offsetSeconds: number): void {
  writeFileSync(clock, `${offsetSeconds >= 0 ? "+" : ""}${offsetSeconds}s\n`);
}

beforeAll(async () => {
  setClock(0);
  edges = await Promise.all([1, 2, 3].map((n) => startEdge(network.edge(n))));
  const config = withPackagedDatabases(await referenceConfig(network, edges));
  const environment = {
    LD_PRELOAD: FAKETIME,
    FAKETIME_TIMESTAMP_FILE: clock,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
  service = await startService({ config, folder, ...(existsSync(FAKETIME) ? { environment } : {}) });
}, 90_000);
afterAll(async () => {
  await service.stop();
  await Promise.all(edges.map((edge) => edge.kill()));
  remove();
}, 30_000);

describe("messages that cost more to read than to send", () => {
  it.each(EXPENSIVE())("%s does not hold up the query that comes after it", async (name, packet) => {
    let worstMs = 0;
    for (let round = 0; round < ROUNDS; round++) {
      void service.dns.send(packet, 50);
      const sentMs = performance.now();
      expect((await service.dns.ask(LIVE, { subnet: `${LONDON}/32` })).addresses[0]).toBe(edges[0]?.host);
      worstMs = Math.max(worstMs, performance.now() - sentMs);
    }
    process.stdout.write(`${name}: ${ROUNDS} rounds, the latest answer after ${worstMs.toFixed(1)} ms\n`);
  });
});

function EXPENSIVE(): [string, Buffer][] {
  const pointers = Array.from({ length: 600 }, (_, i) => [
    0xc0 | ((12 + 2 * i) >> 8),
    (12 + 2 * i) & 0xff,
  ]).flat();
  const label = [63, ...Buffer.alloc(63, "a")];
  return [
    ["lying counts", query({ name: LIVE, counts: [1, 65_535, 65_535, 65_535] })],
    ["records that are not there", query({ counts: [65_535, 65_535, 65_535, 65_535] })],
    ["chained pointers", query({ counts: [1, 0, 0, 0], junk: Buffer.from(pointers) })],
    [
      "empty options",
      query({ name: LIVE, edns: { options: Array.from({ length: 250 }, () => option(65_001)) } }),
    ],
    [
      "names of pointers in every record",
      query({
        name: LIVE,
        records: Array.from({ length: 90 }, () => ({
          section: 3 as const,
          octets: record([0xc0, 12], 1, []),
        })),
      }),
    ],
    [
      "a name of nothing but long labels",
      query({ counts: [1, 0, 0, 0], junk: Buffer.from(Array.from({ length: 20 }, () => label).flat()) }),
    ],
    ["octets that nothing counts", query({ name: LIVE, junk: Buffer.alloc(1400, 0xff) })],
  ];
}

describe.skipIf(!process.env["CI"] && !existsSync(FAKETIME))("a wall clock that jumps", () => {
  it.each([
    ["ten years ahead", 3650 * DAY_SECONDS],
    ["to the day after 2038-01-19", Math.round((Date.UTC(2038, 0, 20) - Date.now()) / 1000)],
    ["a day back", -DAY_SECONDS],
  ])(
    "%s changes no edge's health, ends no drain and stops no answer",
    async (name, offsetSeconds) => {
      expect((await service.cli("drain", "sin1", "--until", "2h")).code).toBe(0);
      const before = service.log().length;
      setClock(offsetSeconds);
      await sleep(2000);
      expect(await firstEdges(service, LONDON)).toEqual([edges[0]?.host, edges[0]?.host]);
      const { json } = await service.ops("GET", "/v1/edges/sin1");
      expect(json.state, "the drain").toBe("drain");
      const changes = service
        .log()
        .slice(before)
        .filter(({ msg }) => msg === "edge health changed");
      process.stdout.write(`${name}: ${changes.length} health changes\n`);
      expect(changes).toEqual([]);
      setClock(0);
      await service.cli("undrain", "sin1");
    },
    30_000,
  );
});
