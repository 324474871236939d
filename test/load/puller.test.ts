import { createServer, type RequestListener } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import type { LoadReport } from "../../src/model/condition.ts";
import type { JsonLoad } from "../../src/model/edge.ts";
import type { Log } from "../../src/model/log.ts";
import { pullOnce } from "../../src/load/once.ts";
import { startPullers } from "../../src/load/puller.ts";
import { systemClock } from "../../src/base/clock.ts";
import { createPuller } from "../../src/load/pull.ts";
import { edge, inventoryOf } from "../probe/inventory.ts";
import { fakeMistServer } from "./fakes/mistserver.ts";
import { sample, source as loadSource } from "./reading.ts";

async function serveHttp(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function source(url: string, other: Partial<JsonLoad> = {}): JsonLoad {
  const fields = { viewers: { path: ["viewers"], factor: 1 } };
  return { type: "json", url, staleAfterMs: 30_000, intervalMs: 50, timeoutMs: 15_000, fields, ...other };
}

async function pullFrom(answer: RequestListener, other: Partial<JsonLoad> = {}) {
  const url = await serveHttp(answer);
  const polled = edge("ams1", { load: [source(`${url}/secret-path?key=secret-key`, other)] });
  const [pulled] = await pullOnce(polled, inventoryOf([polled]));
  if (pulled === undefined) throw new Error("nothing was pulled");
  return pulled;
}

describe("one read of a source", () => {
  it("gives the report, and where each field came from", async () => {
    const pulled = await pullFrom((_, reply) => reply.end('{"viewers":7}'));
    expect(pulled).toEqual({
      type: "json",
      url: expect.stringMatching(/\/secret-path$/) as string,
      report: { viewers: 7 },
      fields: [{ field: "viewers", value: 7, from: "viewers" }],
    });
  });

  it("sends user name and password", async () => {
    let authorization: string | undefined;
    const answer: RequestListener = (request, reply) => {
      authorization = request.headers.authorization;
      reply.end('{"viewers":7}');
    };
    await pullFrom(answer, { username: "edge", password: "pässword" });
    expect(authorization).toBe(`Basic ${Buffer.from("edge:pässword").toString("base64")}`);
  });

  it("understands gzip, within its bound", async () => {
    const zipped = (body: string | Buffer, coding = "gzip"): RequestListener => {
      return (_, reply) => {
        reply.setHeader("content-encoding", coding);
        reply.end(gzipSync(body));
      };
    };
    expect((await pullFrom(zipped('{"viewers":7}'))).report).toEqual({ viewers: 7 });
    expect((await pullFrom(zipped('{"viewers":7}', "GZIP"))).report).toEqual({ viewers: 7 });
    expect((await pullFrom(zipped(Buffer.alloc(9 * 2 ** 20, " ")))).problem).toMatch(/8 MiB/);
  });

  const wrong: [string, RequestListener, RegExp][] = [
    ["no answer", () => {}, /does not answer in time/],
    ["a slow body", (_, reply) => void reply.write("{"), /does not answer in time/],
    ["a reset", (request) => request.socket.resetAndDestroy(), /closed the connection/],
    [
      "a cut body",
      (request, reply) => {
        reply.setHeader("content-length", 100);
        reply.write("{");
        setTimeout(() => request.socket.destroy(), 20);
      },
      /cut short/,
    ],
    [
      "a redirect",
      (_, reply) => reply.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
      /302.*not followed/,
    ],
    ["a lost password", (_, reply) => reply.writeHead(401).end(), /401.*credentials/],
    ["an error", (_, reply) => reply.writeHead(500).end(), /answers 500/],
    [
      "a reply in UTF-16",
      (_, reply) => reply.end(Buffer.from('\uFEFF{"viewers":7}', "utf16le")),
      /expected JSON, got something else/,
    ],
    [
      "compression of another kind",
      (_, reply) => reply.writeHead(200, { "content-encoding": "br" }).end("x"),
      /compressed in a way that was not asked for/,
    ],
    ["another page", (_, reply) => reply.end("<html>"), /expected JSON, got HTML/],
    ["no known field", (_, reply) => reply.end("{}"), /no field could be read: viewers: nothing at viewers/],
    ["poison", (_, reply) => reply.end('{"viewers":1e309}'), /got a number beyond all bounds/],
    [
      "another protocol",
      (request) => request.socket.end("SSH-2.0-secret-word\r\n"),
      /^it does not speak HTTP\/1\.1$/,
    ],
    [
      "two lengths",
      (request) => request.socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
      /length of its reply in two ways/,
    ],
    ["too much", (_, reply) => reply.end(Buffer.alloc(9 * 2 ** 20, " ")), /longer than 8 MiB/],
  ];
  it.each(wrong)("tells %s in words, without secrets", async (_, answer, problem) => {
    const pulled = await pullFrom(answer, {
      ...(/in time/.test(problem.source) ? { timeoutMs: 500 } : {}),
      username: "secret-user",
      password: "secret-word",
    });
    expect(pulled.report).toEqual({});
    expect(pulled.problem).toMatch(problem);
    expect(pulled.problem).not.toContain("secret");
  });

  it("does not reach a forbidden address", async () => {
    const polled = edge("ams1", { load: [source("http://169.254.169.254/"), source("http://localhost:1/")] });
    const [linkLocal, loopback] = await pullOnce(polled, inventoryOf([polled]));
    expect(linkLocal?.problem).toMatch(/refused \(link-local\)/);
    expect(loopback?.problem).toMatch(/refused \(loopback\)/);
  });

  it("has nothing to read where the edge reports by itself", async () => {
    const pushing = edge("ams1", { load: [{ type: "push", staleAfterMs: 1 }] });
    expect(await pullOnce(pushing, inventoryOf([pushing]))).toMatchObject([{ type: "push", report: {} }]);
  });
});

describe("one read of a source that counts", () => {
  it("asks twice, a second apart, and has its rates", async () => {
    const fake = await fakeMistServer("koekjes", 1_000_000);
    const mist = loadSource("mistserver", fake.url, { passphrase: "koekjes" });
    const polled = edge("ams1", { load: [mist] });
    const [pulled] = await pullOnce(polled, inventoryOf([polled]));
    expect(fake.asked).toHaveLength(2);
    expect(pulled?.report.viewers).toBe(410);
    // Eight million bits in a little more than a second.
    expect(pulled?.report.bandwidth).toBeGreaterThan(1_000_000);
    expect(pulled?.report.bandwidth).toBeLessThan(8_100_000);
    expect(pulled?.report.capacity).toEqual({ bandwidth: 1e10 });
    expect(pulled?.url).toBe(`${fake.url}/`);
  });

  it("tells that one worker of several answered", async () => {
    const stat = sample("nginx-rtmp-stat.xml");
    let pid = 9608;
    const url = await serveHttp((_, reply) => reply.end(stat.replace("<pid>9608<", `<pid>${pid++}<`)));
    const polled = edge("ams1", { load: [loadSource("nginx-rtmp", `${url}/stat`)] });
    const [pulled] = await pullOnce(polled, inventoryOf([polled]));
    expect(pulled?.fields.map(({ problem }) => problem)).toEqual(
      Array.from({ length: 3 }, () => expect.stringMatching(/one worker of several/) as string),
    );
  });
});

describe("the connection to a source", () => {
  /** Sources of connections, and a way to end those that idle. */
  async function counted(answer: RequestListener) {
    const server = createServer(answer).listen(0, "127.0.0.1");
    await once(server, "listening");
    let connections = 0;
    server.on("connection", () => connections++);
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const puller = createPuller(source(url));
    onTestFinished(() => puller.close());
    const context = { reach: { allowed: [], own: [] }, clock: systemClock, random: Math.random };
    return { server, connections: () => connections, pull: () => puller.pull(context) };
  }

  it("is kept from one reading to the next", async () => {
    const { connections, pull } = await counted((_, reply) => reply.end('{"viewers":7}'));
    for (let i = 0; i < 3; i++) expect(await pull()).toMatchObject({ kind: "report" });
    expect(connections()).toBe(1);
  });

  it("may end meanwhile without a failure", async () => {
    let isAbrupt = false;
    const { connections, pull } = await counted((request, reply) => {
      if (isAbrupt) request.socket.resetAndDestroy();
      else reply.end('{"viewers":7}');
      isAbrupt = false;
    });
    await pull();
    isAbrupt = true;
    expect(await pull()).toMatchObject({ kind: "report" });
    expect(connections()).toBe(2);
  });

  it("is a new one after a failure", async () => {
    let status = 500;
    const { connections, pull } = await counted((_, reply) => reply.writeHead(status).end('{"viewers":7}'));
    expect(await pull()).toMatchObject({ kind: "failed" });
    status = 200;
    expect(await pull()).toMatchObject({ kind: "report" });
    expect(connections()).toBe(2);
  });
});

interface Pulling {
  readonly pullers: ReturnType<typeof startPullers>;
  readonly reports: [string, number, LoadReport][];
  readonly problems: string[];
  readonly lines: string[];
}

function pulling(random = Math.random): Pulling {
  const reports: Pulling["reports"] = [];
  const problems: string[] = [];
  const lines: string[] = [];
  const write = (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const log: Log = { info: write, warn: write, error: write };
  const pullers = startPullers({
    log,
    random,
    onReport: (...report) => void reports.push(report),
    onFailure: (_, __, problem) => void problems.push(problem),
  });
  onTestFinished(() => pullers.stop());
  return { pullers, reports, problems, lines };
}

describe("reading again and again", () => {
  it("reads who answers while two hundred hang", async () => {
    const silent = await serveHttp(() => {});
    const answering = await serveHttp((_, reply) => reply.end('{"viewers":7}'));
    const patient = { intervalMs: 60_000, timeoutMs: 60_000 };
    const hanging = Array.from({ length: 200 }, (_, i) =>
      edge(`silent-${i}`, { load: [source(silent, patient)] }),
    );
    const { pullers, reports } = pulling(() => 0);
    pullers.take(inventoryOf([...hanging, edge("ams1", { load: [source(answering, patient)] })]));
    await expect.poll(() => reports, { timeout: 4000 }).toContainEqual(["ams1", 0, { viewers: 7 }]);
  });

  it("reads each source of an edge by itself, one request at a time", async () => {
    let running = 0;
    let most = 0;
    const url = await serveHttp((_, reply) => {
      most = Math.max(most, ++running);
      setTimeout(() => {
        running--;
        reply.end('{"viewers":7}');
      }, 100);
    });
    const { pullers, reports } = pulling();
    const load = [{ type: "push", staleAfterMs: 1000 } as const, source(url, { intervalMs: 10 })];
    pullers.take(inventoryOf([edge("ams1", { load })]));
    await expect.poll(() => reports.length).toBeGreaterThan(2);
    expect(reports[0]).toEqual(["ams1", 1, { viewers: 7 }]);
    expect(most).toBe(1);
  });

  it("asks the sources of an edge in turn, those of different edges at once", async () => {
    const running = new Map<string, number>();
    let most = 0;
    let mostInAll = 0;
    const url = await serveHttp((request, reply) => {
      const name = request.url?.slice(0, 2) ?? "";
      running.set(name, (running.get(name) ?? 0) + 1);
      most = Math.max(most, running.get(name) ?? 0);
      mostInAll = Math.max(
        mostInAll,
        [...running.values()].reduce((a, b) => a + b),
      );
      setTimeout(() => {
        running.set(name, (running.get(name) ?? 0) - 1);
        reply.end('{"viewers":7}');
      }, 30);
    });
    const { pullers, reports } = pulling();
    const sourcesOf = (name: string) => ["a", "b", "c"].map((page) => source(`${url}/${name}/${page}`));
    pullers.take(inventoryOf(["x", "y"].map((name) => edge(name, { load: sourcesOf(name) }))));
    await expect.poll(() => new Set(reports.map(String)).size, { timeout: 10_000 }).toBe(6);
    await expect.poll(() => mostInAll).toBe(2);
    expect(most).toBe(1);
  });

  it("logs the first failure of a row and the recovery, counts them all, tells no secret", async () => {
    let isBroken = true;
    const url = await serveHttp((_, reply) => {
      if (isBroken) reply.writeHead(503);
      reply.end('{"viewers":7}');
    });
    const { pullers, problems, reports, lines } = pulling();
    const secrets = { username: "secret-user", password: "secret-word" };
    pullers.take(inventoryOf([edge("ams1", { load: [source(`${url}/secret-path`, secrets)] })]));
    await expect.poll(() => problems.length).toBeGreaterThan(2);
    expect([...pullers.failures()]).toEqual([["ams1", [{ type: "json", problem: "it answers 503" }]]]);
    isBroken = false;
    await expect.poll(() => reports.length).toBeGreaterThan(0);
    expect(pullers.failures().size).toBe(0);
    expect(lines.map((line) => line.split(" {")[0])).toEqual([
      "load source cannot be read",
      "load source can be read again",
    ]);
    const said = JSON.stringify([lines, problems, pullers.metrics()]);
    expect(said).not.toContain("secret");
    expect(pullers.metrics()[0]?.samples).toEqual([
      { labels: { edge: "ams1", type: "json" }, value: problems.length },
    ]);
  });

  it("blames no server for the time in which this process stands still", async () => {
    const url = await serveHttp((_, reply) => {
      const endMs = performance.now() + 800;
      while (performance.now() < endMs);
      reply.end('{"viewers":7}');
    });
    const { pullers, reports, problems } = pulling(() => 0);
    const load = [source(url, { intervalMs: 1000, timeoutMs: 400 })];
    pullers.take(inventoryOf([edge("ams1", { load })]));
    await expect.poll(() => reports.length, { timeout: 30_000 }).toBeGreaterThan(1);
    expect(problems).toEqual([]);
  });

  it("stops reading what a reload removed, and goes on with the rest", async () => {
    const asked: string[] = [];
    const url = await serveHttp((request, reply) => {
      asked.push(request.url ?? "");
      reply.end('{"viewers":7}');
    });
    const { pullers } = pulling();
    const kept = edge("kept", { load: [source(`${url}/kept`)] });
    pullers.take(inventoryOf([edge("gone", { load: [source(`${url}/gone`)] }), kept]));
    await expect.poll(() => new Set(asked).size, { timeout: 5000 }).toBe(2);
    pullers.take(inventoryOf([kept]));
    const askedOftenAgain = async (): Promise<void> => {
      asked.length = 0;
      await expect.poll(() => asked.length).toBeGreaterThan(3);
    };
    // What was on its way then may come in meanwhile.
    await askedOftenAgain();
    await askedOftenAgain();
    expect(new Set(asked)).toEqual(new Set(["/kept"]));
  });
});
