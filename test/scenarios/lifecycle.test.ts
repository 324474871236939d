import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { queryPacket, readReply } from "./dns-client.ts";
import { type Config, LIVE, LONDON, referenceConfig, textOf, withPackagedDatabases } from "./reference.ts";
import { edgeward, ROOT } from "./program.ts";
import { freePort, type Network, takeFolder, takeNetwork } from "./network.ts";
import { sleep, waitFor } from "./wait.ts";
import { firstEdges, type Service, startService } from "./harness.ts";
import { startStream } from "./stream.ts";

/** Undone after each test, last first. */
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
});

function newFolder(): string {
  const { folder, remove } = takeFolder();
  undo.push(remove);
  return folder;
}

/** Asks on a connection of its own: the status, or the error's code. */
function comeOnce(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => socket.write(`HEAD /x HTTP/1.1\r\nHost: ${LIVE}\r\n\r\n`));
    socket.once("data", (head: Buffer) => {
      resolve(head.toString("latin1", 9, 12));
      socket.destroy();
    });
    socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(String(code)));
    socket.once("end", () => resolve("closed without an answer"));
  });
}

/** An edge that takes connections and never says a word. */
async function startSilentEdge(host: string): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => void server.listen(0, host, resolve));
  undo.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as { port: number }).port;
}

async function withSilentEdge(network: Network, timeout: string): Promise<Config> {
  const config = await referenceConfig(network);
  const port = await startSilentEdge(network.edge(1));
  Object.assign(config["edges"].ams1, {
    addresses: [network.edge(1)],
    url: `http://${network.edge(1)}:${port}`,
    probe: { type: "http", path: "/health", interval: "30s", timeout, rise: 1, fall: 1 },
  });
  return config;
}

async function started(config: Config, until: "alive" | "ready" = "ready"): Promise<Service> {
  const service = await startService({ config, folder: newFolder(), until });
  undo.push(() => {
    service.signal("SIGKILL");
    return service.exited;
  });
  return service;
}

describe("the program", () => {
  it("is scraped by Prometheus, which asks for OpenMetrics before anything else", async () => {
    const { doors } = await started(await referenceConfig(takeNetwork()));
    const accept =
      "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    const scrape = async (headers: Record<string, string>) => {
      const reply = await fetch(`http://${doors.ops.host}:${doors.ops.port}/metrics`, { headers });
      const text = await reply.text();
      return { status: reply.status, text, families: text.match(/^# TYPE /gm)?.length };
    };
    const open = await scrape({ accept });
    expect([open.status, open.text.endsWith("\n# EOF\n")]).toEqual([200, true]);
    expect(open.families).toBe((await scrape({})).families);
  });

  it("runs by its own name, as a link to it does in a container", () => {
    const said = execFileSync(join(ROOT, "dist/main.js"), ["version"], { encoding: "utf8" });
    expect(said).toContain("edgeward");
  });
});

describe("starting", () => {
  it("opens the viewers' doors only after the first round of probes", async () => {
    const service = await started(await withSilentEdge(takeNetwork(), "2s"), "alive");
    const ready = await service.ops("GET", "/readyz");
    expect(ready.status).toBe(503);
    expect(ready.text).toContain("first round of probes");
    expect((await service.ops("GET", "/healthz")).status).toBe(200);
    await expect(service.dns.ask(LIVE, { timeoutMs: 300 })).rejects.toThrow("no reply");
    await expect(service.get("/x")).rejects.toThrow("ECONNREFUSED");
    const explain = await service.ops("GET", `/v1/explain?hostname=${LIVE}&ip=${LONDON}`);
    expect(explain.status).toBe(503);
    expect((await service.ops("GET", "/readyz")).status, "or all this proves nothing").toBe(503);

    await waitFor(async () => (await service.ops("GET", "/readyz")).status === 200, 15_000, "readiness");
    expect(await firstEdges(service, LONDON), "not the one that is down").toEqual([
      "127.0.0.13",
      "127.0.0.13",
    ]);
    await service.stop();
  });

  it("takes an edit that is made before the doors open", async () => {
    const config = await withSilentEdge(takeNetwork(), "2s");
    const service = await started(config, "alive");
    config["services"].live.dns.ttl = "77s";
    writeFileSync(service.configFile, textOf(config));
    expect((await service.ops("GET", "/readyz")).status).toBe(503);
    await waitFor(async () => (await service.ops("GET", "/readyz")).status === 200, 15_000, "readiness");
    const ttl = async (): Promise<number | undefined> =>
      (await service.dns.ask(LIVE, { subnet: `${LONDON}/32` })).ttlSeconds;
    await waitFor(async () => (await ttl()) === 77, 10_000, "the edit");
    await service.stop();
  });

  it("ends by SIGTERM within 5 s while it still waits for probes", async () => {
    const service = await started(await withSilentEdge(takeNetwork(), "20s"), "alive");
    expect((await service.ops("GET", "/readyz")).status).toBe(503);
    await service.stop();
  });

  it("ends with 3 and every problem on stderr when the configuration is wrong", async () => {
    const folder = newFolder();
    const file = join(folder, "edgeward.yaml");
    const config = await referenceConfig(takeNetwork());
    config["edges"].ams1.location.latitude = 152;
    config["services"].live.rnak = "nearest";
    writeFileSync(file, textOf(config));
    const { code, stdout, stderr } = await edgeward("serve", "-c", file);
    expect(code).toBe(3);
    expect(stdout).toBe("");
    const lines = readFileSync(file, "utf8").split("\n");
    const line = (word: string): number => lines.findIndex((text) => text.includes(word)) + 1;
    expect(stderr).toContain(`${file}:${line("latitude: 152")}:`);
    expect(stderr).toContain(`${file}:${line("rnak")}:`);
    expect(stderr).toContain("rank");
  });

  it.each(["dns", "http", "ops"])(
    "ends with 1 and one clear line when the %s port is taken",
    async (door) => {
      const network = takeNetwork();
      const config = await referenceConfig(network);
      const port = await freePort(network.host);
      const holder = createServer().listen(port, network.host);
      undo.push(() => new Promise((resolve) => holder.close(resolve)));
      const endpoint = `${network.host}:${port}`;
      config["listen"][door] = door === "ops" ? endpoint : [endpoint];
      const file = join(newFolder(), "edgeward.yaml");
      writeFileSync(file, textOf(config));
      const { code, stderr } = await edgeward("serve", "-c", file);
      expect(code, stderr).toBe(1);
      const plain = stderr.split("\n").filter((line) => line !== "" && !line.startsWith("{"));
      expect(plain).toHaveLength(1);
      expect(plain[0]).toContain(endpoint);
      expect(plain[0]).toMatch(/EADDRINUSE|in use/);
      expect(stderr).not.toContain("    at ");
    },
  );

  it("is told by exit code 4 that nothing runs", async () => {
    const file = join(newFolder(), "edgeward.yaml");
    writeFileSync(file, textOf(await referenceConfig(takeNetwork())));
    for (const command of [["edges"], ["explain", LIVE, LONDON], ["drain", "ams1"], ["reload"]]) {
      const { code, stderr } = await edgeward(...command, "-c", file);
      expect(code, command[0]).toBe(4);
      expect(stderr).toContain("cannot reach");
    }
  });
});

describe("ending", () => {
  it("by SIGTERM under load: 0 within 5 s, and whatever was asked before is answered", {
    timeout: 40_000,
  }, async () => {
    const service = await started(withPackagedDatabases(await referenceConfig(takeNetwork())));
    let signalledMs = Number.POSITIVE_INFINITY;
    const lostBefore: string[] = [];
    let [answeredBefore, answered] = [0, 0];
    const follow = async (ask: () => Promise<unknown>): Promise<void> => {
      const sentMs = performance.now();
      try {
        await ask();
        answered++;
        if (sentMs < signalledMs) answeredBefore++;
      } catch (error) {
        if (sentMs < signalledMs) lostBefore.push(String(error));
      }
    };
    const under: Promise<void>[] = [];
    const timer = setInterval(() => {
      for (let i = 0; i < 5; i++) under.push(follow(() => service.dns.ask(LIVE, { timeoutMs: 1500 })));
      for (let i = 0; i < 2; i++) under.push(follow(() => service.get("/x", { from: LONDON })));
    }, 5);
    const tcp = talkOverTcp(service);
    await sleep(1000);
    await waitFor(() => answered > 600, 15_000, "load");
    tcp.stop();
    signalledMs = performance.now();
    service.signal("SIGTERM");
    const { code } = await service.exited;
    const tookMs = performance.now() - signalledMs;
    clearInterval(timer);
    await Promise.all(under);

    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(5000);
    expect(lostBefore).toEqual([]);
    expect(answeredBefore).toBeGreaterThan(500);
    expect(answered).toBeGreaterThanOrEqual(answeredBefore);
    const { asked, replied } = await tcp.counts;
    expect(asked).toBeGreaterThan(20);
    expect(replied, "over TCP").toBe(asked);
    expect(service.log().at(-1)?.msg).toBe("edgeward has stopped");
  });

  it("by SIGTERM resets nobody: who connects is answered, who comes too late is refused", async () => {
    const service = await started(await referenceConfig(takeNetwork()));
    const { host, port } = service.doors.http;
    const seen: string[] = [];
    const comeAgain = async (): Promise<void> => {
      for (let last = "302"; last === "302"; seen.push(last)) last = await comeOnce(host, port);
    };
    const clients = Promise.all(Array.from({ length: 8 }, comeAgain));
    await waitFor(() => seen.length > 200, 10_000, "clients to be answered");
    service.signal("SIGTERM");
    await clients;
    expect(new Set(seen)).toEqual(new Set(["302", "ECONNREFUSED"]));
    expect((await service.exited).code).toBe(0);
  });

  it("by a second SIGTERM at once, though a request is still arriving", { timeout: 60_000 }, async () => {
    const service = await started(await referenceConfig(takeNetwork()));
    const { host, port } = service.doors.http;
    const slow = connect(port, host);
    undo.push(() => slow.destroy());
    slow.on("error", () => {});
    slow.write("GET /x HTTP/1.1\r\nHost: ");
    // Connections are taken in their order: who came later has been answered.
    expect(await comeOnce(host, port)).toBe("302");
    // Signals of a kind that come before the first is heard are one: one more until it ends is at least a second.
    let hasEnded = false;
    const ended = service.exited.finally(() => (hasEnded = true));
    const signalled = (): boolean => {
      service.signal("SIGTERM");
      return hasEnded;
    };
    await waitFor(signalled, 30_000, "the end");
    expect((await ended).code, "128 + SIGTERM: it did not wait").toBe(143);
  });

  it("frees its ports: the next one starts on them", { timeout: 40_000 }, async () => {
    const config = await referenceConfig(takeNetwork());
    for (let i = 0; i < 2; i++) await (await started(config)).stop();
  });
});

describe("SIGHUP", () => {
  it("a hundred times in a second: one reload at a time, nothing lost, the last edit taken", {
    timeout: 40_000,
  }, async () => {
    const config = await referenceConfig(takeNetwork());
    const service = await started(config);
    const stream = startStream(service, {
      queriesPerSecond: 300,
      requestsPerSecond: 60,
      query: ({ dns }) => dns.ask(LIVE, { subnet: `${LONDON}/32` }),
      request: (service) => service.get("/x", { from: LONDON }),
      judgeReply: ({ rcode, addresses }) =>
        rcode === 0 && addresses.length === 1 ? undefined : `rcode ${rcode}`,
      judgeResponse: ({ status }) => (status === 302 ? undefined : String(status)),
    });
    for (let i = 1; i <= 100; i++) {
      if (i === 100) {
        config["services"].live.dns.ttl = "99s";
        writeFileSync(service.configFile, textOf(config));
      }
      service.signal("SIGHUP");
      await sleep(10);
    }
    const ttl = async (): Promise<number | undefined> =>
      (await service.dns.ask(LIVE, { subnet: `${LONDON}/32` })).ttlSeconds;
    await waitFor(async () => (await ttl()) === 99, 5000, "the last edit");
    await sleep(1500); // until the watcher has had its say
    const taken = () => service.log().filter(({ msg }) => msg === "configuration taken");
    await waitFor(() => taken().length > 1, 20_000, "the reload of those that came during the first");

    const { lost, wrong, replies } = await stream.stop();
    expect(lost).toEqual([]);
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(replies).toBeGreaterThan(500);
    const generations = taken().map(({ generation }) => Number(generation));
    expect(taken().length).toBeGreaterThan(1);
    expect(taken().length, "signals share a reload").toBeLessThan(100);
    expect(generations, "one after the other").toEqual(generations.map((_, i) => i + 2));
    await service.stop();
  });
});

/** Asks on one TCP connection, now and again, until stopped; then waits for what is due. */
function talkOverTcp(service: Service): {
  stop: () => void;
  counts: Promise<{ asked: number; replied: number }>;
} {
  const { host, port } = service.doors.dns;
  const socket = connect(port, host);
  let [asked, replied] = [0, 0];
  let pending = Buffer.alloc(0);
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const end = 2 + pending.readUInt16BE(0);
      if (readReply(pending.subarray(2, end)).rcode === 0) replied++;
      pending = pending.subarray(end);
    }
  });
  const timer = setInterval(() => {
    const packet = queryPacket(++asked & 0xffff, LIVE);
    socket.write(Buffer.concat([Buffer.from([packet.length >> 8, packet.length & 255]), packet]));
  }, 20);
  const counts = new Promise<{ asked: number; replied: number }>((resolve) =>
    socket.on("close", () => resolve({ asked, replied })),
  );
  return { stop: () => clearInterval(timer), counts };
}
