import type { Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { startProbes } from "../../src/probe/prober.ts";
import type { Edge } from "../../src/model/edge.ts";
import { edge, httpProbe, inventoryOf } from "./inventory.ts";
import { serveTcp, silent } from "./servers.ts";

/** Faults of what is probed; what each came to is printed. */
const log = { info() {}, warn() {}, error() {} };
const TIMING = { intervalMs: 200, timeoutMs: 200, rise: 1, fall: 2, body: "needle" };

/** What a server does with a connection once it was asked. */
const MISDEEDS: { readonly [what: string]: (socket: Socket) => void } = {
  "never answers": silent,
  drips: (socket) =>
    onceAsked(socket, () => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
      const timer = setInterval(() => socket.write("x"), 20);
      socket.on("close", () => clearInterval(timer));
    }),
  "sends a gigabyte": (socket) =>
    onceAsked(socket, () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${2 ** 30}\r\n\r\n`);
      const chunk = Buffer.alloc(256 * 1024, "x");
      const send = (): void => {
        while (!socket.destroyed && socket.write(chunk));
      };
      socket.on("drain", send);
      send();
    }),
  "redirects to itself": answer("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
  "resets the connection": (socket) => onceAsked(socket, () => socket.resetAndDestroy()),
  "promises more than it sends": (socket) =>
    onceAsked(socket, () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort")),
  "is no HTTP": answer("220 mail.example.net ESMTP\r\n"),
};

function answer(reply: string): (socket: Socket) => void {
  return (socket) => onceAsked(socket, () => socket.write(reply));
}

function onceAsked(socket: Socket, act: () => void): void {
  socket.once("data", act);
}

describe("targets that misbehave", () => {
  it("are found down, each in time, in bounded memory, and none leads us elsewhere", async () => {
    const inside = await serveTcp(silent);
    const edges: Edge[] = [];
    const at = new Map<string, () => number>();
    for (const [what, misdeed] of Object.entries(MISDEEDS)) {
      const { port, open } = await serveTcp(misdeed);
      at.set(what, () => open.size);
      edges.push(edge(what, { probe: httpProbe(`http://127.0.0.1:${port}/`, TIMING) }));
    }
    const plain = await serveTcp(answer("HTTP/1.1 200 OK\r\n\r\n"));
    edges.push(edge("speaks no TLS", { probe: httpProbe(`https://127.0.0.1:${plain.port}/`, TIMING) }));
    edges.push(
      edge("has a name that leads inside", {
        addresses: [],
        probe: httpProbe(`http://localhost:${inside.port}/`, TIMING),
      }),
    );
    const down = new Map<string, string>();
    const startMs = performance.now();
    const prober = startProbes({
      log,
      onHealth: (id, { health, reason }) => {
        if (health === "down" && !down.has(id))
          down.set(id, `${((performance.now() - startMs) / 1000).toFixed(1)} s, ${reason}`);
      },
    });
    onTestFinished(() => prober.stop());
    const before = process.memoryUsage().rss;
    prober.take(inventoryOf(edges));
    await expect
      .poll(() => [...down.keys()].sort(), { timeout: 30_000 })
      .toEqual(edges.map(({ id }) => id).sort());
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const grownMiB = (process.memoryUsage().rss - before) / 2 ** 20;
    for (const [what, reached] of down) console.info(`fault 22: ${what}: down after ${reached}`);
    console.info(`fault 22: memory grew by ${grownMiB.toFixed(0)} MiB in 3 s of it`);
    expect(grownMiB).toBeLessThan(150);
    expect(inside.stats.connections).toBe(0);
    prober.stop();
    for (const [what, open] of at)
      await expect.poll(() => [what, open()], { timeout: 5000 }).toEqual([what, 0]);
  }, 60_000);
});

describe("2,000 targets that all time out", () => {
  it("are all found down, with some 256 sockets at once", async () => {
    const { port, stats } = await serveTcp(silent);
    const timing = { intervalMs: 2000, timeoutMs: 1000, fall: 2 };
    const edges = Array.from({ length: 2000 }, (_, i) =>
      edge(`e${i}`, { probe: httpProbe(`http://127.0.0.1:${port}/`, timing) }),
    );
    const down = new Set<string>();
    const prober = startProbes({
      log,
      onHealth: (id, { health }) => {
        if (health === "down") down.add(id);
      },
    });
    onTestFinished(() => prober.stop());
    const startMs = performance.now();
    prober.take(inventoryOf(edges));
    await expect.poll(() => down.size, { timeout: 90_000, interval: 100 }).toBe(2000);
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    console.info(
      `fault 23: 2,000 silent targets: all down after ${seconds} s, ${stats.mostAtOnce} sockets at once`,
    );
    expect(stats.mostAtOnce).toBeLessThanOrEqual(300);
  }, 120_000);
});
