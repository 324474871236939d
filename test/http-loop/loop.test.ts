import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { openWake } from "../../src/base/eventfd.ts";
import type { Libc } from "../../src/base/libc.ts";
import { DEFAULT_LIMITS } from "../../src/http/limits.ts";
import type { HandedOver } from "../../src/http-loop/answering.ts";
import { createLoop, type Loop } from "../../src/http-loop/loop.ts";
import { listenTogether } from "../../src/http-loop/sockets.ts";
import { LIBC } from "../http/loop-door.ts";

const silent = { info: () => {}, warn: () => {}, error: () => {} };

interface Trial {
  readonly loop: Loop;
  readonly port: number;
  /** What was answered, in order. */
  readonly targets: string[];
  readonly handedOver: HandedOver[];
  /** How many connections it has. */
  readonly held: () => number;
  /** Has its clock go on by so many milliseconds at once. */
  readonly passMs: (ms: number) => void;
}

/** @param work is given a loop that nobody turns but itself */
async function withLoop(libc: Libc, work: (trial: Trial) => Promise<void>): Promise<void> {
  const { sockets, endpoint } = listenTogether(libc, {
    scheme: "HTTP",
    endpoint: { host: "127.0.0.1", port: 0 },
    count: 1,
    ipv6Only: false,
    inherited: [],
  });
  const wakeFd = openWake(libc);
  const targets: string[] = [];
  const handedOver: HandedOver[] = [];
  const marks = new Uint8Array(1 << 20);
  let passedMs = 0;
  const loop = createLoop({
    libc,
    sockets,
    wakeFd,
    limits: DEFAULT_LIMITS,
    marks,
    fields: [],
    respond: ({ target }) => {
      targets.push(target);
      if (!target.startsWith("/long")) return { status: 204, headers: {}, body: "" };
      return { status: 200, headers: { "Content-Length": String(LONG.length) }, body: LONG };
    },
    isBalancer: () => false,
    handOver: (connection) => handedOver.push(connection),
    onSilent: () => {},
    onRefused: () => {},
    log: silent,
    clock: { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + passedMs },
  });
  try {
    await work({
      loop,
      port: endpoint.port,
      targets,
      handedOver,
      held: () => marks.reduce((count, mark) => count + mark, 0),
      passMs: (ms) => (passedMs += ms),
    });
  } finally {
    for (const { fd } of [...sockets, ...handedOver, { fd: wakeFd }]) libc.close(fd);
  }
}

/** Some hundred of them are more than the system keeps of a connection. */
const LONG = "x".repeat(100_000);

const request = (target: string, more = ""): string =>
  `GET ${target} HTTP/1.1\r\nHost: a.example\r\n${more}\r\n`;

/** Clients read between its turns. */
async function turn(loop: Loop, until: () => boolean): Promise<void> {
  while (!until()) {
    loop.turn(10);
    await new Promise(setImmediate);
  }
}

/** A client whose octets have reached the loop's side. */
async function sends(port: number, octets: string): Promise<Socket> {
  const client = connect(port, "127.0.0.1");
  await once(client, "connect");
  await new Promise((written) => client.write(octets, written));
  return client;
}

describe.skipIf(LIBC.kind === "unavailable")("the loop", () => {
  it("answers all who wait to be accepted when it ends", async () => {
    if (LIBC.kind === "unavailable") return;
    await withLoop(LIBC.libc, async ({ loop, port, handedOver }) => {
      const clients = await Promise.all(Array.from({ length: 200 }, () => sends(port, request("/"))));
      loop.finish();
      const answers = await Promise.all(clients.map((client) => text(client)));
      expect(answers.filter((answer) => answer.startsWith("HTTP/1.1 204 "))).toHaveLength(200);
      expect(handedOver).toEqual([]);
    });
  });

  it("lets others come between the requests of one who sends 1,000 at once", async () => {
    if (LIBC.kind === "unavailable") return;
    await withLoop(LIBC.libc, async ({ loop, port, targets, handedOver }) => {
      const many = await sends(port, request("/many").repeat(1000));
      const one = await sends(port, request("/one"));
      await turn(loop, () => targets.includes("/one"));
      expect(targets.indexOf("/one")).toBeLessThan(100);
      many.resume();
      await turn(loop, () => targets.length === 1001 || handedOver.length > 0);
      expect([targets.filter((target) => target === "/many").length, handedOver]).toEqual([1000, []]);
      many.destroy();
      one.destroy();
      loop.finish();
    });
  });

  it("answers requests that are longer than what it answers in a turn, each once and in order", async () => {
    if (LIBC.kind === "unavailable") return;
    await withLoop(LIBC.libc, async ({ loop, port, targets, handedOver }) => {
      const wanted = Array.from({ length: 12 }, (_, i) => `/${i}`);
      const octets = wanted
        .map((target, i) => request(target, `X-Long: ${"x".repeat(i * 700)}\r\n`))
        .join("");
      const client = await sends(port, octets);
      client.resume();
      await turn(loop, () => targets.length === wanted.length || handedOver.length > 0);
      expect([targets, handedOver]).toEqual([wanted, []]);
      client.destroy();
      loop.finish();
    });
  });

  it("hands over what is no whole request, with all that has been read of it", async () => {
    if (LIBC.kind === "unavailable") return;
    await withLoop(LIBC.libc, async ({ loop, port, targets, handedOver, passMs }) => {
      const half = `GET /half HTTP/1.1\r\nHost: a.example\r\nX-Long: ${"x".repeat(5000)}`;
      const client = await sends(port, request("/whole") + half);
      await turn(loop, () => targets.length > 0);
      passMs(2000);
      await turn(loop, () => handedOver.length > 0);
      expect(targets).toEqual(["/whole"]);
      expect(handedOver.map(({ input }) => Buffer.from(input).toString())).toEqual([half]);
      client.destroy();
      loop.finish();
    });
  });

  it("leaves it to others to close where octets remain unread behind the last request", async () => {
    if (LIBC.kind === "unavailable") return;
    await withLoop(LIBC.libc, async ({ loop, port, targets, handedOver }) => {
      const last = request("/last", `Connection: close\r\nX-Long: ${"x".repeat(5000)}\r\n`);
      const client = await sends(port, last + request("/more"));
      await turn(loop, () => handedOver.length > 0);
      expect(targets).toEqual(["/last"]);
      expect(handedOver.map(({ isEnding }) => isEnding)).toEqual([true]);
      client.destroy();
      loop.finish();
    });
  });

  it("waits for the rest of a request that is cut in two behind others", async () => {
    if (LIBC.kind === "unavailable") return;
    await withLoop(LIBC.libc, async ({ loop, port, targets, handedOver }) => {
      const second = request("/second");
      const client = await sends(port, request("/first") + second.slice(0, 20));
      await turn(loop, () => targets.length === 1);
      client.write(second.slice(20) + request("/third").slice(0, 10));
      await turn(loop, () => targets.length === 2 || handedOver.length > 0);
      client.write(request("/third").slice(10));
      await turn(loop, () => targets.length === 3 || handedOver.length > 0);
      expect([targets, handedOver]).toEqual([["/first", "/second", "/third"], []]);
      client.destroy();
      loop.finish();
    });
  });

  it("hands over a request whose rest comes in more than one piece", async () => {
    if (LIBC.kind === "unavailable") return;
    await withLoop(LIBC.libc, async ({ loop, port, targets, handedOver }) => {
      const client = await sends(port, `${request("/whole")}GET /slow HT`);
      await turn(loop, () => targets.length === 1);
      client.write("TP/1.1\r\nHo");
      await turn(loop, () => handedOver.length > 0);
      expect(handedOver.map(({ input }) => Buffer.from(input).toString())).toEqual([
        "GET /slow HTTP/1.1\r\nHo",
      ]);
      client.destroy();
      loop.finish();
    });
  });

  it("does not wait for the rest of a request behind others when it ends", async () => {
    if (LIBC.kind === "unavailable") return;
    await withLoop(LIBC.libc, async ({ loop, port, targets, handedOver }) => {
      const client = await sends(port, `${request("/whole")}GET /half HT`);
      await turn(loop, () => targets.length === 1);
      loop.finish();
      expect(handedOver.map(({ input }) => Buffer.from(input).toString())).toEqual(["GET /half HT"]);
      client.destroy();
    });
  });

  it("reads nothing more from one who does not read, and answers the rest once he does", async () => {
    if (LIBC.kind === "unavailable") return;
    await withLoop(LIBC.libc, async (trial) => {
      const { loop, port, targets, handedOver } = trial;
      const wanted = Array.from({ length: 400 }, (_, i) => `/long/${i}`);
      const client = await sends(port, wanted.map((target) => request(target)).join(""));
      await untilStuck(trial);
      expect(longOnes(targets).length).toBeLessThan(wanted.length);
      let octets = 0;
      client.on("data", (data) => (octets += data.length));
      await turn(loop, () => octets > LONG.length * wanted.length || handedOver.length > 0);
      expect([longOnes(targets), handedOver]).toEqual([wanted, []]);
      client.destroy();
      loop.finish();
    });
  });

  it("closes the connection of one who takes nothing for too long", async () => {
    if (LIBC.kind === "unavailable") return;
    await withLoop(LIBC.libc, async (trial) => {
      const { loop, port, targets, handedOver, held, passMs } = trial;
      const client = await sends(port, request("/long").repeat(400));
      await untilStuck(trial);
      // Less than an idle connection is given.
      for (let i = 0; i < 4 && held() > 0; i++) {
        passMs(DEFAULT_LIMITS.silenceTimeoutMs + 1);
        loop.turn(0);
      }
      expect([held(), longOnes(targets).length < 400, handedOver]).toEqual([0, true, []]);
      client.destroy();
      loop.finish();
    });
  });

  it("closes the connection of one who is gone without having read", async () => {
    if (LIBC.kind === "unavailable") return;
    await withLoop(LIBC.libc, async (trial) => {
      const { loop, port, handedOver, held } = trial;
      const client = await sends(port, request("/long").repeat(400));
      await untilStuck(trial);
      client.resetAndDestroy();
      await turn(loop, () => held() === 0);
      expect(handedOver).toEqual([]);
      loop.finish();
    });
  });

  it("hands over what is unsent when it ends", async () => {
    if (LIBC.kind === "unavailable") return;
    await withLoop(LIBC.libc, async (trial) => {
      const client = await sends(trial.port, request("/long").repeat(400));
      await untilStuck(trial);
      trial.loop.finish();
      expect(trial.handedOver.map(({ unsent, isEnding }) => [unsent.length > 0, isEnding])).toEqual([
        [true, false],
      ]);
      client.destroy();
    });
  });
});

function longOnes(targets: readonly string[]): string[] {
  return targets.filter((target) => target.startsWith("/long"));
}

/** Until others are answered, and the one who asked for much is not: the system takes no more for him. */
async function untilStuck({ loop, port, targets, held }: Trial): Promise<void> {
  const other = connect(port, "127.0.0.1").resume();
  for (let before = -1; before !== longOnes(targets).length; ) {
    before = longOnes(targets).length;
    const asked = targets.length - before;
    other.write(request("/other"));
    await turn(loop, () => targets.length - longOnes(targets).length > asked);
  }
  other.destroy();
  await turn(loop, () => held() === 1);
}
