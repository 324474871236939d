import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { watchCanary } from "../../src/control/canary.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { OnHealth } from "../../src/probe/edge-news.ts";
import type { Prober } from "../../src/probe/prober.ts";
import { inventoryOf } from "../config/support.ts";

const log = { info: () => {}, warn: () => {}, error: () => {} };
const head = `
listen: { http: ["127.0.0.1:8080"] }
edges: { ams1: { location: { latitude: 1, longitude: 2 }, addresses: [192.0.2.1] } }
`;

async function watched(probing: string) {
  const told: boolean[] = [];
  let onHealth: OnHealth = () => {};
  let probed: readonly Edge[] = [];
  const canary = watchCanary({
    log,
    onCanary: (isReached) => void told.push(isReached),
    startProbes(options): Prober {
      ({ onHealth } = options);
      return {
        take: ({ edges }) => void (probed = edges),
        firstRound: Promise.resolve(),
        metrics: () => [],
        stop: () => {},
      };
    },
  });
  canary.take(await inventoryOf(`${head}${probing}`));
  return { told, say: (...news: Parameters<OnHealth>) => onHealth(...news), probed };
}

describe("the canary", () => {
  it("is probed like an edge, at each of its addresses", async () => {
    const { probed } = await watched(
      "probing: { canary: { addresses: [198.51.100.1, '2001:db8::1'], port: 443, interval: 5s } }",
    );
    expect(probed).toMatchObject([
      { probe: { type: "tcp", port: 443, intervalMs: 5000, timeoutMs: 1000, rise: 1, fall: 1 } },
    ]);
    expect(probed[0]?.addresses).toHaveLength(2);
  });

  it("is silent when no family of it answers; a refusal is an answer", async () => {
    const { told, say } = await watched("probing: { canary: { addresses: [198.51.100.1, '2001:db8::1'] } }");
    say("canary", { family: 4, health: "up" });
    say("canary", { family: 6, health: "down", reason: "unreachable" });
    expect(told.at(-1)).toBe(true);
    say("canary", { family: 4, health: "down", reason: "timeout" });
    expect(told.at(-1)).toBe(false);
    say("canary", { family: 4, health: "down", reason: "refused" });
    expect(told.at(-1)).toBe(true);
  });

  it("is fine where there is none", async () => {
    const { told, probed } = await watched("");
    expect(told).toEqual([true]);
    expect(probed).toEqual([]);
  });
});

/** Listens, says where, and never has room for more than two connections that it has not accepted. */
const LISTENER = `
const server = require("node:net").createServer();
server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => console.log(server.address().port));
`;

describe.runIf(process.platform === "linux")("the canary, with real probes", () => {
  it("is lost when it is silent, and back when it answers", async () => {
    const child = spawn(process.execPath, ["-e", LISTENER], { stdio: ["ignore", "pipe", "inherit"] });
    const sockets: Socket[] = [];
    try {
      const [line] = (await once(child.stdout, "data")) as [Buffer];
      const port = Number(line.toString());
      const told: boolean[] = [];
      const canary = watchCanary({ log, onCanary: (isReached) => void told.push(isReached) });
      const until = async (isReached: boolean): Promise<void> => {
        while (told.at(-1) !== isReached) await new Promise((resolve) => setTimeout(resolve, 20));
      };
      canary.take(
        await inventoryOf(
          `${head}probing: { allowedNetworks: [127.0.0.1/32], canary: { addresses: [127.0.0.1], port: ${port}, interval: 500ms, timeout: 300ms } }`,
        ),
      );
      await until(true);
      // It accepts nothing any more, and its queue is full: whoever knocks is not answered.
      child.kill("SIGSTOP");
      for (let i = 0; i < 8; i++) sockets.push(connect(port, "127.0.0.1").on("error", () => {}));
      await until(false);
      child.kill("SIGCONT");
      await until(true);
      canary.stop();
    } finally {
      for (const socket of sockets) socket.destroy();
      child.kill("SIGKILL");
    }
  });
});
