import { describe, expect, it, vi } from "vitest";
import { newLineRing, takeLines } from "../../src/base/line-ring.ts";
import { createDecisionTotals } from "../../src/engine/decision-counts.ts";
import type { PacketRoom } from "../../src/dns/batch-memory.ts";
import type { BatchOptions } from "../../src/dns/batch.ts";
import { createAnswerer } from "../../src/dns/answerer.ts";
import { counterCells } from "../../src/dns/counters.ts";
import { newRateTable } from "../../src/dns/rate-limit.ts";
import { rehearseDns } from "../../src/threads/dns-rehearsal.ts";
import { newLookupCounts } from "../../src/geo/locator.ts";
import type { Inventory, Place } from "../../src/model/inventory.ts";
import type { World } from "../../src/model/world.ts";
import { packInventory } from "../../src/threads/packed-inventory.ts";
import { queries } from "../../src/rehearsal/queries.ts";
import { UNWATCHED } from "../../src/engine/decision-samples.ts";
import { createEngine, type ThreadNews } from "../../src/threads/serving-thread.ts";
import { plainInventory, plainService, plainZone } from "../inventory.ts";
import { rateLimitOf } from "../dns/fixture.ts";
import { serviceOf, THREE_EDGES, worldOf } from "../selection/fixture.ts";

const HOSTNAMES = ["live.example.net", "any.vod.example.net"];
/** Half of the world lives in London, half in Tokyo. */
const PLACES: readonly Place[] = [
  [0, 51.5, -0.1],
  [128, 35.7, 139.7],
].map(([head = 0, latitude = 0, longitude = 0]) => ({
  prefix: { family: 4, bytes: Uint8Array.of(head, 0, 0, 0), length: 1 },
  latitude,
  longitude,
}));
const INVENTORY = plainInventory({
  dns: {
    queryLog: { destination: "stdout", sample: 1, wholeAddresses: false },
    rateLimit: rateLimitOf(100),
  },
  zones: [plainZone("example.net")],
  edges: THREE_EDGES,
  services: [
    serviceOf(THREE_EDGES),
    serviceOf(THREE_EDGES, { id: "vod", index: 1, hostnames: ["*.vod.example.net"], affinity: "stream" }),
  ],
});

/** All that a thread has, without sockets. */
function thread(inventory: Inventory) {
  const world: World = { ...worldOf(THREE_EDGES), heat: new Int32Array(1 << 10) };
  const decisionCells = createDecisionTotals().newCells(inventory);
  const lookups = newLookupCounts();
  const cells = new Float64Array(counterCells());
  const ring = newLineRing(1 << 16);
  const news: ThreadNews[] = [];
  const serving = {
    configured: { packedInventory: packInventory(inventory), decisionCells },
    world,
    geo: { city: [], asn: [], places: PLACES },
  };
  const data = { task: {}, own: undefined, serving, lookups, cells, isFirst: true, ...UNWATCHED };
  const engine = createEngine(data, (said) => void news.push(said));
  const { responder, prepareInSteps } = createAnswerer({
    served: inventory,
    decide: engine.redirector.decide,
    log: { info() {}, warn() {}, error() {} },
    cookieSecrets: () => [new Uint8Array(16)],
    cells,
    rateTable: newRateTable(Int32Array.of(1, 2)),
    logRing: ring,
  });
  const answers = new Set<string>();
  let left = Number.POSITIVE_INFINITY;
  let asked = 0;
  let onQuery = (): void => {};
  const respond: BatchOptions["respond"] = (packet, length, source, out) => {
    if (left-- <= 0) throw new Error("broken");
    asked++;
    onQuery();
    const octets = responder.respond(packet.octets, length, source, "udp", out.octets);
    answers.add(Buffer.from(out.octets.subarray(2, octets)).toString("latin1"));
    return octets;
  };
  return {
    answers,
    get asked() {
      return asked;
    },
    onQuery(call: () => void) {
      onQuery = call;
    },
    breakAfter(queries: number) {
      left = queries;
    },
    rehearse: () =>
      rehearseDns({ engine, door: { prepareInSteps }, respond, serving, counted: [cells, lookups] }),
    /** From a network of its own, so that nothing is limited. */
    ask: (query: Uint8Array, i: number): Buffer => {
      const [packet, out] = [room(), room()];
      packet.octets.set(query);
      const octets = respond(packet, query.length, Uint8Array.of(198, 18, i & 0xff, i >> 8), out);
      return Buffer.from(out.octets.subarray(0, octets));
    },
    counts: () => ({
      cells: cells.slice(0, cells.length - CELLS_OF_TIME),
      decisionCells,
      lookups,
      sent: world.sent.counts,
      heat: world.heat,
    }),
    lines: () => takeLines(ring).toString(),
    news,
    engine,
  };
}

/** At the end, how long answers took, and who was slipped. */
const CELLS_OF_TIME = 13;

function room(): PacketRoom {
  const memory = new ArrayBuffer(4096);
  return { octets: new Uint8Array(memory), words: new Int32Array(memory) };
}

describe("a rehearsal", () => {
  it("asks for more than there is to answer, and leaves nothing counted, logged or remembered", () => {
    const one = thread(INVENTORY);
    one.rehearse();
    expect(one.answers.size).toBeGreaterThan(300);
    const { cells, decisionCells, lookups, sent, heat } = one.counts();
    for (const counted of [cells, decisionCells, lookups, sent, heat ?? []])
      expect(counted.every((count) => count === 0)).toBe(true);
    expect(one.lines()).toBe("");
    expect(one.news).toEqual([]);
    expect(one.engine.redirector.takeArrivals().every(({ size }) => size === 0)).toBe(true);
  });

  it("changes no answer and no count of what is asked after it", () => {
    const [rehearsed, fresh] = [thread(INVENTORY), thread(INVENTORY)];
    rehearsed.rehearse();
    const asked = [...queries(HOSTNAMES, 300)];
    expect(asked.map(rehearsed.ask)).toEqual(asked.map(fresh.ask));
    expect(rehearsed.counts()).toEqual(fresh.counts());
    expect(rehearsed.lines().split("\n").length).toBe(fresh.lines().split("\n").length);
    expect(rehearsed.counts().sent.some((count) => count > 0)).toBe(true);
  });

  it.each([
    ["is held as a whole where a query takes 0.08 ms", 0.08, 36_000],
    ["ends early where a query takes 1 ms", 1, 4000],
  ])("%s", (_what, queryMs, asked) => {
    const one = thread(INVENTORY);
    let nowMs = 1000;
    one.onQuery(() => (nowMs += queryMs));
    const now = vi.spyOn(performance, "now").mockImplementation(() => nowMs);
    try {
      one.rehearse();
    } finally {
      now.mockRestore();
    }
    expect(one.asked).toBe(asked);
  });

  it("leaves everything as it was when it fails", () => {
    const one = thread(INVENTORY);
    one.breakAfter(5000);
    expect(() => one.rehearse()).toThrow("broken");
    one.breakAfter(Number.POSITIVE_INFINITY);
    const fresh = thread(INVENTORY);
    const asked = [...queries(HOSTNAMES, 100)];
    expect(asked.map(one.ask)).toEqual(asked.map(fresh.ask));
    expect(one.counts()).toEqual(fresh.counts());
  });

  it.each([
    ["edges", { ...INVENTORY, edges: [], services: [plainService({ edges: [] })] }],
    ["services", { ...INVENTORY, services: [] }],
  ])("is not held without %s", (_what, inventory) => {
    const one = thread(inventory);
    one.rehearse();
    expect(one.answers.size).toBe(0);
  });
});
