import { createSocket } from "node:dgram";
import { setTimeout as sleep } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { describe, expect, it, onTestFinished } from "vitest";
import { createDecisionTotals } from "../../src/engine/decision-counts.ts";
import { type DnsThreads, type DnsThreadsOptions, startDnsThreads } from "../../src/threads/dns-threads.ts";
import { BATCH_PACKETS } from "../../src/dns/batch-memory.ts";
import type { LibcResult } from "../../src/base/libc.ts";
import type { Geo } from "../../src/geo/geo.ts";
import type { GeoSnapshot } from "../../src/geo/locator.ts";
import type { Inventory, Place } from "../../src/model/inventory.ts";
import type { World } from "../../src/model/world.ts";
import { connectTcp, firstDatagram, frame } from "../rfc/harness.ts";
import { worldOf } from "../selection/fixture.ts";
import { data, decode } from "./answers.ts";
import { LIBC } from "./batched.ts";
import { edge, serviceOf, ZONE, ZONES } from "./fixture.ts";
import { query, subnet } from "./packets.ts";
import { plainInventory } from "../inventory.ts";

const PLAIN: LibcResult = { kind: "unavailable", reason: "for a test" };
const MODES: readonly (readonly [string, LibcResult])[] =
  LIBC.kind === "loaded"
    ? [
        ["batched", LIBC],
        ["plain", PLAIN],
      ]
    : [["plain", PLAIN]];

const LIVE = `live.${ZONE}`;
const NAME = { name: LIVE };
const HOST = "127.0.0.1";

/** One edge and one place: the answer tells which generation it was made of. */
function inventoryOf(generation: number): Inventory {
  return plainInventory({
    generation,
    zones: ZONES.map((zone) => ({ ...zone, serial: generation })),
    edges: [edge("only", 0, `127.1.0.${generation}`, `127.2.0.${generation}`)],
    services: [{ ...serviceOf("live"), edges: [0] }],
  });
}

function worldFor(inventory: Inventory, down = false): World {
  const world = worldOf(inventory.edges, down ? { down: [...inventory.edges] } : {});
  return { ...world, generation: inventory.generation };
}

class FakeGeo implements Pick<Geo, "snapshot" | "onChange" | "addCounts"> {
  places: readonly Place[] = [];
  #changed = (): void => {};
  readonly snapshot = (): GeoSnapshot => ({ city: [], asn: [], places: this.places });
  readonly onChange = (changed: () => void): (() => void) => {
    this.#changed = changed;
    return () => {};
  };
  readonly addCounts = (): (() => void) => () => {};

  set(places: readonly Place[]): void {
    this.places = places;
    this.#changed();
  }
}

interface Running {
  readonly threads: DnsThreads;
  readonly port: number;
  readonly geo: FakeGeo;
  readonly workers: Worker[];
  readonly log: string[];
}

async function start(options: Partial<DnsThreadsOptions> = {}): Promise<Running> {
  const geo = new FakeGeo();
  const inventory = options.inventory ?? inventoryOf(1);
  const workers: Worker[] = [];
  const log: string[] = [];
  const note = (_fields: object, message: string): void => void log.push(message);
  const threads = await startDnsThreads({
    endpoints: [{ host: HOST, port: 0 }],
    inventory,
    world: worldFor(inventory),
    geo,
    decisions: createDecisionTotals(),
    log: { info: note, warn: note, error: note },
    onThread: (worker) => workers.push(worker),
    ...options,
  });
  onTestFinished(() => threads.stop());
  return { threads, port: threads.endpoints[0]?.port ?? 0, geo, workers, log };
}

async function addresses(port: number, packet = query(NAME)): Promise<unknown> {
  return data(decode(await firstDatagram(HOST, port, [packet])), "A");
}

async function addressesOverTcp(port: number): Promise<unknown> {
  const client = await connectTcp(HOST, port);
  onTestFinished(() => void client.socket.destroy());
  client.socket.write(frame(query(NAME)));
  const message = await client.next();
  return message === undefined ? undefined : data(decode(message), "A");
}

/** Asks until it holds: an order reaches a thread a moment after it was given. */
async function eventually(ask: () => Promise<unknown>, expected: unknown): Promise<void> {
  await expect.poll(ask, { timeout: 10_000, interval: 5 }).toEqual(expected);
}

describe.each(MODES)("DNS threads, %s", (_mode, libc) => {
  it("answer over UDP and TCP on the same port, and count", async () => {
    const decisions = createDecisionTotals();
    const { threads, port } = await start({ libc, decisions });
    expect(await addresses(port)).toEqual(["127.1.0.1", "127.2.0.1"]);
    expect(await addressesOverTcp(port)).toEqual(["127.1.0.1", "127.2.0.1"]);
    const families = [...threads.metrics(), ...decisions.metrics()];
    const samples = (name: string) => families.find((family) => family.name === name)?.samples;
    expect(samples("decisions_total")).toEqual([
      { labels: { service: "live", edge: "only", door: "dns" }, value: 2 },
    ]);
    expect(samples("dns_requests_total")).toEqual([
      { labels: { proto: "udp", family: "ipv4", type: "A" }, value: 1 },
      { labels: { proto: "tcp", family: "ipv4", type: "A" }, value: 1 },
    ]);
  });

  it("answer by what became known while they began", async () => {
    const { edges } = inventoryOf(1);
    let tell = (_world: World): void => {};
    const { port } = await start({
      libc,
      follow(take) {
        tell = take;
      },
      onThread: () => queueMicrotask(() => tell(worldOf(edges, { off: [...edges] }))),
    });
    await eventually(() => addresses(port), []);
  });

  it("answer by a new world, and from new places, soon", async () => {
    const inventory = {
      ...inventoryOf(1),
      edges: [edge("west", 0, "127.1.0.1"), edge("east", 1, "127.1.0.2")],
    };
    const [west, east] = inventory.edges.map((one, i) => ({
      ...one,
      location: { latitude: 0, longitude: i === 0 ? -60 : 60 },
    }));
    const services = [{ ...serviceOf("live", 1), edges: [0, 1] }];
    const both = { ...inventory, edges: [west, east] as Inventory["edges"], services };
    const { threads, port, geo } = await start({ libc, inventory: both });
    const asked = query({ ...NAME, edns: { options: [subnet(1, 24, [198, 51, 100])] } });
    const place = (longitude: number): Place => ({
      prefix: { family: 4, bytes: Uint8Array.of(198, 51, 100, 0), length: 24 },
      latitude: 0,
      longitude,
    });
    geo.set([place(50)]);
    await eventually(() => addresses(port, asked), ["127.1.0.2"]);
    geo.set([place(-50)]);
    await eventually(() => addresses(port, asked), ["127.1.0.1"]);
    threads.take(both, { ...worldFor(both), up: Uint8Array.of(0, 1) });
    await eventually(() => addresses(port, asked), ["127.1.0.2"]);
  });

  it("tell where they send viewers", async () => {
    const inventory = inventoryOf(1);
    const { threads, port, geo } = await start({ libc, inventory });
    const prefix = { family: 4, bytes: Uint8Array.of(198, 51, 0, 0), length: 16 } as const;
    geo.set([{ prefix, latitude: 10, longitude: 20 }]);
    let asked = 0;
    await eventually(async () => {
      const client = subnet(1, 24, [198, 51, asked++ & 0xff]);
      await addresses(port, query({ ...NAME, edns: { options: [client] } }));
      threads.take(inventory, worldFor(inventory));
      return [...threads.takeArrivals()]
        .flat()
        .flatMap((byPlace) => [...byPlace.keys()].map(({ latitude }) => latitude));
    }, [10]);
  });

  it("take a new configuration under load without losing a query or mixing two", async () => {
    const { threads, port } = await start({ libc });
    const load = await startLoad(port);
    for (let generation = 2; generation <= 20; generation++) {
      const next = inventoryOf(generation);
      threads.take(next, worldFor(next));
      const before = load.answered();
      await eventually(() => Promise.resolve(load.answered() > before), true);
    }
    const answers = await load.stop();
    expect(answers.length).toBe(load.asked());
    for (const answer of answers) {
      const [first = "", second = ""] = data(decode(answer), "A") as string[];
      expect(second).toBe(first.replace("127.1", "127.2"));
    }
    await eventually(() => addresses(port), ["127.1.0.20", "127.2.0.20"]);
    await eventually(() => addressesOverTcp(port), ["127.1.0.20", "127.2.0.20"]);
  });

  it("replace a thread that dies, with what is true by then", async () => {
    const { threads, port, workers, log } = await start({ libc });
    const next = inventoryOf(7);
    threads.take(next, worldFor(next));
    const before = workers.length;
    // A port that was taken for TCP has left one that has ended.
    const killed = workers.filter(({ threadId }) => threadId !== -1);
    for (const worker of killed) await worker.terminate();
    await eventually(() => Promise.resolve(workers.length), before + killed.length);
    expect(log.filter((message) => message === "a DNS thread has died and is replaced")).toHaveLength(
      killed.length,
    );
    await eventually(() => addressesOverTcp(port).catch(() => undefined), ["127.1.0.7", "127.2.0.7"]);
    await eventually(() => addresses(port), ["127.1.0.7", "127.2.0.7"]);
    const deaths = threads.metrics().find(({ name }) => name === "dns_thread_deaths_total");
    expect(deaths?.samples).toMatchObject([{ value: killed.length }]);
  });

  it("are gone, with their addresses free, when stopped", async () => {
    const { threads, port, workers } = await start({ libc });
    const exits = workers.map((worker) => new Promise((resolve) => worker.once("exit", resolve)));
    await threads.stop();
    expect(await Promise.all(exits)).toEqual(workers.map(() => 0));
    const again = await start({ libc, endpoints: [{ host: HOST, port }] });
    expect(again.port).toBe(port);
  });

  it("do not begin on an address that is taken, and leave nothing behind", async () => {
    const socket = createSocket("udp4");
    onTestFinished(() => void socket.close());
    await new Promise<void>((resolve) => {
      socket.bind(0, HOST, resolve);
    });
    const { port } = socket.address();
    const workers: Worker[] = [];
    await expect(
      start({ libc, endpoints: [{ host: HOST, port }], onThread: (worker) => workers.push(worker) }),
    ).rejects.toThrow(`cannot listen for DNS on ${HOST}:${port} (UDP): another program listens there`);
    await eventually(() => Promise.resolve(workers.every((worker) => worker.threadId === -1)), true);
  });
});

describe.skipIf(LIBC.kind === "unavailable")("DNS threads with batches", () => {
  it("answer what had come in when they are stopped", async () => {
    const { threads, port } = await start();
    const load = await startLoad(port);
    await eventually(() => Promise.resolve(load.answered() > 50), true);
    // Nothing is asked any more, but what was asked last may still wait in the sockets.
    load.pause();
    await threads.stop();
    expect((await load.stop()).length).toBe(load.asked());
  });

  it("lose nothing that waits while a thread is replaced, but the batch in its hands", async () => {
    const { port, workers } = await start();
    const load = await startLoad(port);
    await eventually(() => Promise.resolve(load.answered() > 20), true);
    const before = workers.length;
    await workers.at(-1)?.terminate();
    const asked = load.asked();
    await eventually(() => Promise.resolve(load.asked() > asked + 100), true);
    // No more than a socket has room for, however long a thread takes to begin.
    load.pause();
    await eventually(() => Promise.resolve(workers.length > before), true);
    const answers = await load.stop();
    expect(load.asked() - answers.length).toBeLessThan(BATCH_PACKETS);
  });

  it("share queries out among several", async () => {
    const { threads, port } = await start({ udpThreads: 3 });
    for (let i = 0; i < 40; i++) expect(await addresses(port)).toEqual(["127.1.0.1", "127.2.0.1"]);
    expect(threads.metrics().find(({ name }) => name === "dns_threads")?.samples).toMatchObject([
      { value: 4 },
    ]);
  });
});

it("say once why queries are answered packet by packet", async () => {
  const { log } = await start({ libc: PLAIN });
  expect(log.filter((message) => message.includes("packet by packet"))).toHaveLength(1);
});

it.each([
  ["a wildcard", "0.0.0.0", 1],
  ["one address", HOST, 0],
])(
  "say that replies may leave from another address than asked where they listen on %s",
  async (_what, host, said) => {
    const { log } = await start({ libc: PLAIN, endpoints: [{ host, port: 0 }] });
    expect(log.filter((message) => message.includes("whichever was asked"))).toHaveLength(said);
  },
);

interface Load {
  readonly asked: () => number;
  readonly answered: () => number;
  readonly pause: () => void;
  /** The answers, when all are there or ten seconds have brought no more. */
  readonly stop: () => Promise<Buffer[]>;
}

/** Asks about 1,000 times a second. */
async function startLoad(port: number): Promise<Load> {
  const socket = createSocket("udp4");
  const answers: Buffer[] = [];
  let asked = 0;
  socket.on("message", (message) => answers.push(message));
  await new Promise<void>((resolve) => {
    socket.bind(0, HOST, resolve);
  });
  const timer = setInterval(() => {
    for (let i = 0; i < 2; i++) {
      socket.send(query({ ...NAME, id: asked & 0xffff }), port, HOST);
      asked++;
    }
  }, 2);
  onTestFinished(() => clearInterval(timer));
  return {
    asked: () => asked,
    answered: () => answers.length,
    pause: () => clearInterval(timer),
    async stop() {
      clearInterval(timer);
      for (let quietMs = 0, last = -1; answers.length < asked && quietMs < 10_000; quietMs += 20) {
        if (answers.length !== last) quietMs = 0;
        last = answers.length;
        await sleep(20);
      }
      socket.close();
      return answers;
    },
  };
}
