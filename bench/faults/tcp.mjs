import { residentMiB, untilQuiet } from "../lib/process.mjs";
import { askTcp, askUdp, frame, open, query } from "./clients.mjs";
import { descriptors, metric, pause, until, withEdgeward } from "./server.mjs";

const many = (/** @type {number} */ count) =>
  Buffer.concat(Array.from({ length: count }, (_, id) => frame(query(id & 0xffff))));

/** Ways to misbehave; none is owed an answer. @type {readonly ((port: number) => Promise<unknown>)[]} */
const MISBEHAVIOURS = [
  (port) => open(port),
  (port) => askTcp({ port, write: Uint8Array.of(0), patienceMs: 3000 }),
  (port) => askTcp({ port, write: Uint8Array.of(0, 0), patienceMs: 3000 }),
  (port) => askTcp({ port, write: Uint8Array.of(0, 5, 1, 2, 3, 4, 5), patienceMs: 3000 }),
  (port) => askTcp({ port, write: Buffer.alloc(4096, 0xff), patienceMs: 3000 }),
  (port) => askTcp({ port, write: frame(query(1)).subarray(0, 20), patienceMs: 3000 }),
  async (port) => (await open(port)).resetAndDestroy(),
  async (port) => (await open(port)).end(),
  (port) => askTcp({ port, write: Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), patienceMs: 3000 }),
  async (port) => {
    const socket = await open(port);
    socket.pause();
    socket.write(many(500));
  },
];
const CLIENTS = 300;
const NEVER_READING = 100;

/** @type {readonly import("./fault.ts").Fault[]} */
export const faults = [
  {
    name: "mixed-clients",
    what: `${CLIENTS} TCP clients at once, every second one misbehaving in one of ten ways`,
    run: (folder) =>
      withEdgeward(folder, {}, async ({ child: { pid }, ports: { dns: port } }) => {
        const before = descriptors(pid);
        const honest = [];
        for (let i = 0; i < CLIENTS / 2; i++) {
          void MISBEHAVIOURS[i % MISBEHAVIOURS.length]?.(port);
          honest.push(askTcp({ port }));
        }
        const answered = (await Promise.all(honest)).filter((count) => count === 1).length;
        const isBack = await until(() => descriptors(pid) <= before, 30_000);
        return {
          held: answered === CLIENTS / 2 && isBack,
          figure: `${answered} of ${CLIENTS / 2} honest ones answered; ${before} descriptors before, ${descriptors(pid)} after the idle timeout`,
        };
      }),
  },
  {
    name: "never-reads",
    what: `${NEVER_READING} TCP clients that send 20,000 queries each and never read`,
    run: (folder) =>
      withEdgeward(folder, {}, async ({ child: { pid }, ports: { dns: port } }) => {
        await askTcp({ port });
        await untilQuiet(pid);
        const before = residentMiB(pid);
        const sockets = [];
        for (let i = 0; i < NEVER_READING; i++) {
          const socket = await open(port, `127.0.${i}.1`);
          socket.pause();
          socket.write(many(20_000));
          sockets.push(socket);
        }
        await pause(1000);
        const delays = [];
        for (let i = 0; i < 50; i++) delays.push((await askUdp(port)) ?? Number.POSITIVE_INFINITY);
        // One would be lost in what the heap goes up and down by itself.
        const grown = (residentMiB(pid) - before) / NEVER_READING;
        for (const socket of sockets) socket.destroy();
        return {
          held: grown <= 1 && delays.every(Number.isFinite),
          figure: `${grown.toFixed(2)} MiB more resident for each; UDP ${delays.filter(Number.isFinite).length} of 50, at most ${Math.max(...delays).toFixed(1)} ms`,
        };
      }),
  },
  {
    name: "resets",
    what: "200 resets right after the query",
    run: (folder) =>
      withEdgeward(folder, {}, async ({ child: { pid }, ports: { dns: port } }) => {
        const before = descriptors(pid);
        for (let i = 0; i < 200; i++) {
          const socket = await open(port);
          socket.write(frame(query(i)), () => socket.resetAndDestroy());
        }
        const isBack = await until(() => descriptors(pid) <= before, 5000);
        const served = await askTcp({ port });
        return { held: isBack && served === 1, figure: `${descriptors(pid) - before} descriptors left` };
      }),
  },
  {
    name: "connection-limit",
    what: "100 idle TCP clients more than the limit of 100, then a new one",
    run: (folder) =>
      withEdgeward(
        folder,
        { dns: { tcp: { connections: 100, connectionsPerNetwork: 100, idleTimeout: "10s" } } },
        async ({ ports: { dns: port } }) => {
          let closed = 0;
          const sockets = [];
          for (let i = 0; i < 200; i++) {
            const socket = await open(port, `127.0.${i}.1`);
            socket.once("close", () => closed++);
            socket.resume();
            sockets.push(socket);
          }
          await until(() => closed >= 100, 5000);
          const oldestFirst = sockets.slice(0, 100).every((socket) => socket.destroyed);
          const kills = closed;
          const startMs = performance.now();
          const served = await askTcp({ port });
          const ms = performance.now() - startMs;
          const isIdleClosed = await until(() => closed === 200, 15_000);
          return {
            held: served === 1 && oldestFirst && kills === 100 && isIdleClosed,
            figure: `${kills} closed for the limit, the oldest; the new one served in ${ms.toFixed(1)} ms; the others closed when idle for 10 s`,
          };
        },
      ),
  },
  {
    name: "no-descriptors",
    what: "10 descriptors left (prlimit), then 60 TCP connections",
    needs: ["prlimit"],
    run: (folder) =>
      withEdgeward(folder, {}, async (server) => {
        const { pid } = server.child;
        const port = server.ports.dns;
        const { spawnSync } = await import("node:child_process");
        const limit = (/** @type {number} */ count) =>
          spawnSync("prlimit", ["--pid", String(pid), `--nofile=${count}:`]);
        await askTcp({ port });
        limit(descriptors(pid) + 10);
        const sockets = await Promise.all(Array.from({ length: 60 }, () => open(port)));
        const udp = [];
        for (let i = 0; i < 50; i++) udp.push(await askUdp(port));
        limit(1024);
        const startMs = performance.now();
        const isServed = await until(async () => (await askTcp({ port, patienceMs: 1000 })) === 1, 10_000);
        const seconds = (performance.now() - startMs) / 1000;
        const logged = server.child.output().split("no DNS connection can be accepted").length - 1;
        for (const socket of sockets) socket.destroy();
        const answered = udp.filter((ms) => ms !== undefined).length;
        return {
          held: answered === 50 && isServed && logged <= 1,
          figure: `UDP ${answered} of 50; TCP served ${seconds.toFixed(2)} s after; logged ${logged} time; ${await metric(server, "edgeward_dns_thread_deaths_total")} threads died`,
        };
      }),
  },
];
