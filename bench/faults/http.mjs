import { writeFileSync, readFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { quantile } from "../lib/statistics.mjs";
import { openIdle } from "../http/idle.mjs";
import { mainThreadSeconds, residentMiB, untilQuiet } from "../lib/process.mjs";
import { askAtPace } from "./clients.mjs";
import { askOften, exchange, openHttp, redirectMs, request } from "./http-clients.mjs";
import { withMoreEdges } from "./reload.mjs";
import { descriptors, metric, NAME, pause, until, withEdgeward } from "./server.mjs";

const SLOW_SECONDS = 20;

/** Ways to be slow: each has a connection of its own, and drips as long as it may. */
const SLOW = {
  "slow-header": {
    what: "that send a header, an octet per second",
    start: `GET /a HTTP/1.1\r\nHost: ${NAME}\r\nX-Slow: `,
  },
  "slow-body": {
    what: "that send a body, an octet per second",
    start: `POST /a HTTP/1.1\r\nHost: ${NAME}\r\nContent-Length: 100000\r\n\r\n`,
  },
  silent: { what: "that send nothing", start: "" },
};

/** @param {readonly number[]} took */
function delays(took) {
  const lost = took.filter(Number.isNaN).length;
  const known = took.filter((ms) => !Number.isNaN(ms));
  const [p50, p99] = [0.5, 0.99].map((share) => quantile(known, share).toFixed(1));
  const slowest = Math.max(0, ...known);
  return {
    lost,
    p99: Number(p99),
    slowest,
    text: `${known.length} redirects, median ${p50} ms, p99 ${p99} ms, slowest ${slowest.toFixed(1)} ms, ${lost} lost`,
  };
}

/** @param {keyof typeof SLOW} name @returns {import("./fault.ts").Fault} */
function slow(name) {
  return {
    name,
    what: `500 connections ${SLOW[name].what}, for ${SLOW_SECONDS} s`,
    run: (folder) =>
      withEdgeward(folder, {}, async ({ ports: { http: port } }) => {
        const endFirst = askOften(port);
        await pause(3000);
        const before = delays(await endFirst());
        const closedAfter = /** @type {number[]} */ ([]);
        const openedMs = performance.now();
        const sockets = await Promise.all(Array.from({ length: 500 }, () => openHttp(port)));
        for (const socket of sockets) {
          socket.resume();
          socket.once("close", () => closedAfter.push((performance.now() - openedMs) / 1000));
          if (SLOW[name].start !== "") socket.write(SLOW[name].start);
        }
        const drip = setInterval(() => {
          if (SLOW[name].start !== "") for (const socket of sockets) if (!socket.destroyed) socket.write("x");
        }, 1000);
        const end = askOften(port);
        await pause(SLOW_SECONDS * 1000);
        clearInterval(drip);
        const meanwhile = delays(await end());
        for (const socket of sockets) socket.destroy();
        const last = Math.max(...closedAfter);
        return {
          held:
            closedAfter.length === 500 &&
            last < 16 &&
            meanwhile.lost === 0 &&
            meanwhile.p99 < before.p99 * 3 + 20,
          figure: `before ${before.text}; meanwhile ${meanwhile.text}; ${closedAfter.length} of 500 closed, the last after ${last.toFixed(1)} s`,
        };
      }),
  };
}

/** @type {readonly import("./fault.ts").Fault[]} */
export const faults = [
  slow("slow-header"),
  slow("slow-body"),
  slow("silent"),
  {
    name: "never-reads-http",
    what: "100 clients that send 2,000 requests each and never read",
    run: (folder) =>
      withEdgeward(folder, {}, async ({ child: { pid }, ports: { http: port } }) => {
        for (let i = 0; i < 20; i++)
          await exchange(port, request().repeat(1000) + request({ more: "Connection: close\r\n" }));
        const before = residentMiB(pid);
        const sockets = await Promise.all(Array.from({ length: 100 }, () => openHttp(port)));
        for (const socket of sockets) socket.pause().write(request().repeat(2000));
        const end = askOften(port);
        await pause(3000);
        const meanwhile = delays(await end());
        const more = residentMiB(pid) - before;
        for (const socket of sockets) socket.destroy();
        return {
          held: meanwhile.lost === 0 && meanwhile.slowest < 1500 && more < 200,
          figure: `${more.toFixed(0)} MiB more; meanwhile ${meanwhile.text}`,
        };
      }),
  },
  {
    name: "unread-http",
    what: "20 clients that send 9,000 requests each and never read",
    run: (folder) =>
      withEdgeward(folder, {}, async ({ child: { pid }, ports: { http: port } }) => {
        await untilQuiet(pid);
        const before = { mainSeconds: mainThreadSeconds(pid), MiB: residentMiB(pid) };
        const sockets = await Promise.all(Array.from({ length: 20 }, () => openHttp(port)));
        for (const socket of sockets) socket.pause().write(request().repeat(9000));
        const isServed = await until(async () => !Number.isNaN(await redirectMs(port)), 5000);
        await untilQuiet(pid);
        const mainSeconds = mainThreadSeconds(pid) - before.mainSeconds;
        const more = residentMiB(pid) - before.MiB;
        for (const socket of sockets) socket.destroy();
        return {
          held: isServed && mainSeconds < 1 && more < 100,
          figure: `${mainSeconds.toFixed(2)} s of the main thread; ${more.toFixed(0)} MiB more`,
        };
      }),
  },
  {
    name: "steering-at-once",
    what: "20 clients that ask for steering 9,000 times each at once, which the main thread answers",
    run: (folder) =>
      withEdgeward(folder, {}, async ({ child: { pid }, ports: { http: port } }) => {
        await untilQuiet(pid);
        const before = mainThreadSeconds(pid);
        const sockets = await Promise.all(Array.from({ length: 20 }, () => openHttp(port)));
        const text = request({ path: "/.edgeward/steering" }).repeat(9000);
        for (const socket of sockets) socket.resume().write(text);
        const isServed = await until(async () => !Number.isNaN(await redirectMs(port)), 20_000);
        await untilQuiet(pid);
        const mainSeconds = mainThreadSeconds(pid) - before;
        for (const socket of sockets) socket.destroy();
        return {
          held: isServed && mainSeconds < 2,
          figure: `${mainSeconds.toFixed(2)} s of the main thread`,
        };
      }),
  },
  {
    name: "idle-http",
    what: "10,000 connections that are answered once and stay",
    run: (folder) =>
      withEdgeward(folder, {}, async ({ child: { pid }, ports: { http: port } }) => {
        const endFirst = askOften(port);
        await pause(3000);
        const before = delays(await endFirst());
        const { sockets, ...memory } = await openIdle({ port, pid }, NAME);
        const end = askOften(port);
        await pause(5000);
        const meanwhile = delays(await end());
        const open = sockets.filter(({ readyState }) => readyState === "open").length;
        for (const socket of sockets) socket.destroy();
        return {
          held: open === sockets.length && meanwhile.lost === 0 && meanwhile.p99 < before.p99 * 3 + 20,
          figure: `before ${before.text}; meanwhile ${meanwhile.text}; ${open} still open, ${(memory.withMiB - memory.beforeMiB).toFixed(0)} MiB more`,
        };
      }),
  },
  {
    name: "resets-http",
    what: "500 resets right after the request",
    run: (folder) =>
      withEdgeward(folder, {}, async ({ child: { pid }, ports: { http: port } }) => {
        const before = descriptors(pid);
        for (let i = 0; i < 500; i++) {
          const socket = await openHttp(port);
          socket.write(request());
          socket.resetAndDestroy();
        }
        const isBack = await until(() => descriptors(pid) <= before, 20_000);
        const ms = await redirectMs(port);
        return {
          held: isBack && !Number.isNaN(ms),
          figure: `${descriptors(pid) - before} descriptors left; the next redirect after ${ms.toFixed(1)} ms`,
        };
      }),
  },
  {
    name: "floods-http",
    what: "100 headers of 1 MiB, and 100 targets of 1 MiB",
    run: (folder) =>
      withEdgeward(folder, {}, async ({ child: { pid }, ports: { http: port } }) => {
        const before = residentMiB(pid);
        const big = "x".repeat(1 << 20);
        const status = async (/** @type {string} */ text) => (await exchange(port, text)).slice(9, 12);
        const headers = await Promise.all(
          Array.from({ length: 100 }, () => status(request({ more: `X: ${big}\r\n` }))),
        );
        const targets = await Promise.all(
          Array.from({ length: 100 }, () => status(request({ path: `/${big}` }))),
        );
        const [refusedHeaders, refusedTargets] = [
          headers.filter((one) => one === "431"),
          targets.filter((one) => one === "414"),
        ];
        return {
          held: refusedHeaders.length + refusedTargets.length === 200,
          figure: `${refusedHeaders.length} × 431, ${refusedTargets.length} × 414; ${(residentMiB(pid) - before).toFixed(0)} MiB more, sender not counted`,
        };
      }),
  },
  {
    name: "pipelined-http",
    what: "20 connections with 9,000 requests each at once, each for a path of its own",
    run: (folder) =>
      withEdgeward(folder, {}, async ({ ports: { http: port } }) => {
        const talk = async (/** @type {number} */ n) => {
          const paths = Array.from({ length: 9000 }, (_, i) => `/${n}/${i}`);
          const text = paths.map((path) => request({ path })).join("");
          const received = await exchange(
            port,
            text + request({ path: "/end", more: "Connection: close\r\n" }),
          );
          const locations = [...received.matchAll(/\r\nLocation: https?:\/\/[^/]+(\S+)/g)].map(
            ([, path]) => path,
          );
          return paths.every((path, i) => locations[i] === path) ? 9000 : 0;
        };
        const inOrder = (await Promise.all(Array.from({ length: 20 }, (_, n) => talk(n)))).reduce(
          (sum, count) => sum + count,
          0,
        );
        return { held: inOrder === 180_000, figure: `${inOrder} of 180,000 answered, in order` };
      }),
  },
  {
    name: "no-descriptors-http",
    what: "20 descriptors left, then 60 HTTP connections",
    needs: ["prlimit"],
    run: (folder) =>
      withEdgeward(folder, {}, async (server) => {
        const { child, ports } = server;
        await redirectMs(ports.http);
        spawnSync("prlimit", [`--pid=${child.pid}`, `--nofile=${descriptors(child.pid) + 20}:`]);
        const sockets = await Promise.all(Array.from({ length: 60 }, () => openHttp(ports.http)));
        await pause(2000);
        const dns = await askAtPace({ port: ports.dns, from: "127.0.4.1", perSecond: 50, seconds: 1 });
        const startMs = performance.now();
        for (const socket of sockets) socket.destroy();
        const isServed = await until(async () => !Number.isNaN(await redirectMs(ports.http)), 10_000);
        const seconds = ((performance.now() - startMs) / 1000).toFixed(2);
        const logged = child.output().split("no descriptors left").length - 1;
        return {
          held: isServed && logged > 0 && dns.full === dns.sent,
          figure: `DNS ${dns.full} of ${dns.sent}; HTTP served ${seconds} s after they had gone; logged ${logged} times`,
        };
      }),
  },
  {
    name: "balancer-headers",
    what: "2,000 connections from a balancer without a PROXY header, with half a one, or with a malformed one",
    run: (folder) =>
      withEdgeward(folder, { proxyProtocol: { from: ["127.0.0.1/32"] } }, async (server) => {
        const { child, ports } = server;
        const before = descriptors(child.pid);
        const starts = [
          request(),
          "PROXY TCP4 1.2.3.4\r\n",
          "PROXY TCP4 1.2",
          "\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
        ];
        let answered = 0;
        for (let i = 0; i < 2000; i += 100) {
          const all = Array.from({ length: 100 }, (_, n) => exchange(ports.http, starts[n % 4] ?? "", 8000));
          answered += (await Promise.all(all)).filter((text) => text !== "").length;
        }
        const isBack = await until(() => descriptors(child.pid) <= before, 10_000);
        const counted = await metric(server, 'edgeward_http_rejected_total{reason="proxy-header"}');
        const told = await exchange(
          ports.http,
          `PROXY TCP4 81.2.69.142 127.0.0.1 1 2\r\n${request({ more: "Connection: close\r\n" })}`,
        );
        return {
          held: answered === 0 && isBack && counted === 2000 && told.startsWith("HTTP/1.1 302 "),
          figure: `${answered} answered, ${counted} counted, ${descriptors(child.pid) - before} descriptors left; a right one is served`,
        };
      }),
  },
  {
    name: "stop-under-load",
    what: "SIGTERM under 200 queries per second and three viewers who ask all the time",
    run: (folder) =>
      withEdgeward(folder, {}, async ({ child, ports }) => {
        const ends = [1, 2, 3].map(() => askOften(ports.http, 1));
        const dns = askAtPace({ port: ports.dns, from: "127.0.4.1", perSecond: 200, seconds: 2 });
        const [asked] = await Promise.all([dns, pause(2000)]);
        const startMs = performance.now();
        const exited = new Promise((resolve) => void child.process.once("exit", resolve));
        // What was asked before the signal is waited for; what comes after finds nobody.
        const before = Promise.all(ends.map((end) => end()));
        child.process.kill("SIGTERM");
        const code = await exited;
        const seconds = (performance.now() - startMs) / 1000;
        const { lost, text } = delays((await before).flat());
        return {
          held: code === 0 && seconds < 5 && lost === 0 && asked.full === asked.sent,
          figure: `exit code ${code} after ${seconds.toFixed(2)} s; ${text}; DNS ${asked.full} of ${asked.sent}`,
        };
      }),
  },
  {
    name: "second-sigterm",
    what: "a second SIGTERM while a request is still arriving",
    run: (folder) =>
      withEdgeward(folder, {}, async ({ child, ports }) => {
        const slow = await openHttp(ports.http);
        slow.write("GET / HTTP/1.1\r\nHost: ");
        await pause(200);
        const exited = new Promise((resolve) => void child.process.once("exit", resolve));
        child.process.kill("SIGTERM");
        await pause(300);
        const startMs = performance.now();
        child.process.kill("SIGTERM");
        const code = await exited;
        const ms = performance.now() - startMs;
        slow.destroy();
        return { held: ms < 1000, figure: `gone ${ms.toFixed(0)} ms after it, exit code ${code}` };
      }),
  },
  {
    name: "hangup-storm",
    what: "100 SIGHUPs in a second, an edit of 100 edges in the last, under load",
    run: (folder) =>
      withEdgeward(folder, {}, async ({ child, file, ports }) => {
        const end = askOften(ports.http);
        const dns = askAtPace({ port: ports.dns, from: "127.0.4.1", perSecond: 300, seconds: 5 });
        for (let i = 1; i <= 100; i++) {
          if (i === 100) writeFileSync(file, withMoreEdges(readFileSync(file, "utf8"), 100));
          child.process.kill("SIGHUP");
          await pause(10);
        }
        const asked = await dns;
        const { lost, text } = delays(await end());
        const taken = child.output().split("configuration taken").length - 1;
        return {
          held: taken > 0 && taken < 100 && lost === 0 && asked.full === asked.sent,
          figure: `${taken} reloads, one after the other; ${text}; DNS ${asked.full} of ${asked.sent}`,
        };
      }),
  },
];
