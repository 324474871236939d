import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { describe, expect, it, onTestFinished } from "vitest";
import type { LibcResult } from "../../src/base/libc.ts";
import { createDecisionTotals } from "../../src/engine/decision-counts.ts";
import {
  type HttpThreads,
  type HttpThreadsOptions,
  startHttpThreads,
} from "../../src/threads/http-threads.ts";
import type { Inventory } from "../../src/model/inventory.ts";
import type { World } from "../../src/model/world.ts";
import { worldOf } from "../selection/fixture.ts";
import { ask, edgeOf, exchange, repliesIn, serviceOf, trusted } from "./fixture.ts";
import { LIBC } from "./loop-door.ts";
import { plainInventory } from "../inventory.ts";

const PLAIN: LibcResult = { kind: "unavailable", reason: "for a test" };
const MODES: readonly (readonly [string, LibcResult])[] =
  LIBC.kind === "loaded"
    ? [
        ["with threads", LIBC],
        ["in the main thread alone", PLAIN],
      ]
    : [["in the main thread alone", PLAIN]];

const HOST = "Host: live.example.net";

/** One edge, whose address tells the generation. */
function inventoryOf(generation: number): Inventory {
  return plainInventory({
    generation,
    edges: [edgeOf("only", `http://edge${generation}.example.org`)],
    services: [serviceOf()],
  });
}

function worldFor(inventory: Inventory) {
  return { ...worldOf(inventory.edges, {}), generation: inventory.generation };
}

interface Running {
  readonly doors: HttpThreads;
  readonly port: number;
  readonly workers: Worker[];
  readonly log: string[];
  readonly take: (generation: number) => void;
}

async function start(options: Partial<HttpThreadsOptions> = {}): Promise<Running> {
  const inventory = inventoryOf(1);
  const workers: Worker[] = [];
  const log: string[] = [];
  const note = (_fields: object, message: string): void => void log.push(message);
  const doors = await startHttpThreads({
    endpoints: [{ host: "127.0.0.1", port: 0 }],
    inventory,
    world: worldFor(inventory),
    geo: {
      snapshot: () => ({ city: [], asn: [], places: [] }),
      onChange: () => () => {},
      addCounts: () => () => {},
    },
    decisions: createDecisionTotals(),
    decide: () => undefined,
    steer: () => "a manifest of the main thread",
    log: { info: note, warn: note, error: note },
    onThread: (worker) => workers.push(worker),
    ...options,
  });
  onTestFinished(() => doors.stop());
  const take = (generation: number): void => {
    const next = inventoryOf(generation);
    doors.take(next, worldFor(next));
  };
  return { doors, port: doors.endpoints[0]?.port ?? 0, workers, log, take };
}

const locationAt = async (port: number): Promise<string | undefined> =>
  (await ask(port, "GET / HTTP/1.1")).headers["location"];

function requestsCounted({ doors }: Running): number {
  const family = doors.metrics().find(({ name }) => name === "http_requests_total");
  if (family === undefined || family.kind === "histogram") return 0;
  return family.samples.reduce((sum, { value }) => sum + value, 0);
}

describe.each(MODES)("HTTP %s", (_mode, libc) => {
  it("answers, counts, and has one place for what is its own", async () => {
    // The main thread alone would decide by its own engine.
    const decide = () => undefined;
    const running = await start({ libc, decide });
    const isThreaded = running.workers.length > 0;
    expect((await ask(running.port, "GET /a HTTP/1.1")).status).toBe(isThreaded ? 302 : 421);
    expect((await ask(running.port, "GET /.edgeward/steering HTTP/1.1")).body).toBe(
      "a manifest of the main thread",
    );
    expect(requestsCounted(running)).toBe(2);
  });

  it("has nothing left listening when it is stopped, and tells a port that is taken", async () => {
    const { doors, port } = await start({ libc });
    await expect(start({ libc, endpoints: [{ host: "127.0.0.1", port }] })).rejects.toThrow(
      `cannot listen for HTTP on 127.0.0.1:${port}: another program listens there (EADDRINUSE)`,
    );
    await doors.stop();
    await expect(exchange(port, "")).rejects.toThrow("ECONNREFUSED");
  });
});

describe.skipIf(LIBC.kind === "unavailable")("HTTP threads", () => {
  it("answer from the first request on by what became known while they began", async () => {
    const { edges } = inventoryOf(1);
    let tell = (_world: World): void => {};
    const { port } = await start({
      follow(take) {
        tell = take;
      },
      onThread: () => queueMicrotask(() => tell(worldOf(edges, { off: [...edges] }))),
    });
    expect((await ask(port, "GET / HTTP/1.1")).status).toBe(503);
  });

  it("take a new configuration under load without losing a request", async () => {
    const { port, take } = await start({ threads: 2 });
    const over = new AbortController();
    let asked = 0;
    const client = async (): Promise<void> => {
      while (!over.signal.aborted) {
        expect(await locationAt(port)).toMatch(/^http:\/\/edge\d+\.example\.org\/$/);
        asked++;
      }
    };
    const clients = Array.from({ length: 8 }, client);
    for (let generation = 2; generation <= 20; generation++) {
      take(generation);
      const before = asked;
      await expect.poll(() => asked, { interval: 1 }).toBeGreaterThan(before);
    }
    over.abort();
    await Promise.all(clients);
    expect(asked).toBeGreaterThan(20);
    await expect.poll(() => locationAt(port)).toBe("http://edge20.example.org/");
  });

  it("share connections out, and count together", async () => {
    const running = await start({ threads: 3 });
    expect(running.workers).toHaveLength(3);
    for (let i = 0; i < 30; i++) expect(await locationAt(running.port)).toBe("http://edge1.example.org/");
    await expect.poll(() => requestsCounted(running)).toBe(30);
  });

  it("hand over what comes after on a connection, octet for octet", async () => {
    const { port } = await start({ threads: 1 });
    const good = `GET /1 HTTP/1.1\r\n${HOST}\r\n\r\n`;
    const steering = `GET /.edgeward/steering HTTP/1.1\r\n${HOST}\r\nConnection: close\r\n\r\n`;
    const replies = repliesIn(await exchange(port, good + steering.slice(0, 20), steering.slice(20)));
    expect(replies.map(({ status }) => status)).toEqual([302, 200]);
  });

  it("send a reader who does not read no more than he takes, and lose nothing of it", async () => {
    const running = await start({ threads: 1 });
    const { port } = running;
    const socket = connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    await once(socket, "connect");
    socket.pause();
    const path = `/${"p".repeat(4000)}`;
    const asked = 4000;
    for (let i = 1; i <= asked; i++)
      socket.write(
        `GET ${path}${i} HTTP/1.1\r\n${HOST}\r\n${i === asked ? "Connection: close\r\n" : ""}\r\n`,
      );
    let before = -1;
    for (let counted = 0; counted === 0 || counted !== before; counted = requestsCounted(running)) {
      before = counted;
      await sleep(50);
    }
    expect(before).toBeLessThan(asked);
    const received: Buffer[] = [];
    socket.on("data", (octets) => received.push(octets)).resume();
    await once(socket, "close");
    const statuses =
      Buffer.concat(received)
        .toString("latin1")
        .match(/^HTTP\/1\.1 \d+/gm) ?? [];
    expect(statuses).toHaveLength(asked);
    // The main thread, which in this test knows of no service, has answered none.
    expect(new Set(statuses)).toEqual(new Set(["HTTP/1.1 302"]));
  });

  it("read PROXY headers as soon as the configuration names the balancers, and no longer", async () => {
    const { doors, port } = await start({ threads: 2 });
    const header = "PROXY TCP4 81.2.69.142 198.51.100.1 56324 443\r\n";
    const request = `GET / HTTP/1.1\r\n${HOST}\r\nConnection: close\r\n\r\n`;
    const status = async (text: string): Promise<string> => (await exchange(port, text)).slice(9, 12);
    const take = (generation: number, from?: string): void => {
      const next = {
        ...inventoryOf(generation),
        ...(from === undefined ? {} : { proxyProtocol: { from: trusted(from) } }),
      };
      doors.take(next, worldFor(next));
    };
    expect([await status(header + request), await status(request)]).toEqual(["400", "302"]);
    take(2, "127.0.0.0/8");
    await expect.poll(() => status(header + request)).toBe("302");
    await expect.poll(() => status(request)).toBe("");
    take(3);
    await expect.poll(() => status(request)).toBe("302");
    await expect.poll(() => status(header + request)).toBe("400");
  });

  it("replace a thread that dies, and close what it held", async () => {
    const { port, workers, log, take } = await start({ threads: 1 });
    const held = connect(port, "127.0.0.1");
    held.on("error", () => {});
    held.write(`GET / HTTP/1.1\r\n${HOST}\r\n\r\n`);
    await once(held, "data");
    take(5);
    void workers[0]?.terminate();
    await once(held.resume(), "close");
    await expect.poll(() => log).toContain("a HTTP thread has died and is replaced");
    await expect.poll(() => locationAt(port)).toBe("http://edge5.example.org/");
  });
});
