import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, counted, exchange, openDoor, repliesIn, type TestDoor } from "./fixture.ts";

const HOST = "Host: live.example.net";

const LINGER = { lingerMs: 200 };

/** Limits short enough to wait for: for nothing that is to come before they are over. */
const BRIEF = {
  ...LINGER,
  headersTimeoutMs: 500,
  requestTimeoutMs: 600,
  silenceTimeoutMs: 800,
  keepAliveTimeoutMs: 500,
  checkIntervalMs: 50,
};

let test: TestDoor;
let brief: TestDoor;
beforeAll(async () => {
  test = await openDoor({ limits: LINGER });
  brief = await openDoor({ limits: BRIEF });
});
afterAll(async () => {
  await Promise.all([test.door.stop(), brief.door.stop()]);
});

const rejections = (reason: string, { door } = test): number =>
  counted(door, "http_rejected_total", { reason });

describe("a malformed request: 400 and close", () => {
  it.each([
    [
      "Content-Length and Transfer-Encoding",
      `POST / HTTP/1.1\r\n${HOST}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      "two Content-Lengths",
      `POST / HTTP/1.1\r\n${HOST}\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
    ],
    ["a Content-Length that is none", `POST / HTTP/1.1\r\n${HOST}\r\nContent-Length: -1\r\n\r\n`],
    [
      "a Transfer-Encoding without chunked",
      `POST / HTTP/1.1\r\n${HOST}\r\nTransfer-Encoding: gzip\r\n\r\nhello`,
    ],
    [
      "chunked before another coding",
      `POST / HTTP/1.1\r\n${HOST}\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`,
    ],
    ["a folded line", `GET / HTTP/1.1\r\n${HOST}\r\nA: b\r\n c\r\n\r\n`],
    ["a bare CR", `GET / HTTP/1.1\r\n${HOST}\r\nA: b\rc\r\n\r\n`],
    ["a bare LF", `GET / HTTP/1.1\nHost: live.example.net\n\n`],
    ["a space before the colon", `GET / HTTP/1.1\r\n${HOST}\r\nA : b\r\n\r\n`],
    ["a NUL", `GET / HTTP/1.1\r\n${HOST}\r\nA: \0\r\n\r\n`],
    ["a space in the target", `GET /a b HTTP/1.1\r\n${HOST}\r\n\r\n`],
    ["a tab in the target", `GET /a\tb HTTP/1.1\r\n${HOST}\r\n\r\n`],
    ["an octet beyond ASCII in the target", `GET /\u00e9 HTTP/1.1\r\n${HOST}\r\n\r\n`],
    ["an empty target", `GET  HTTP/1.1\r\n${HOST}\r\n\r\n`],
    ["a query alone", `GET ? HTTP/1.1\r\n${HOST}\r\n\r\n`],
    ["a backslash alone", `GET \\evil HTTP/1.1\r\n${HOST}\r\n\r\n`],
    ["a relative target", `GET evil.example HTTP/1.1\r\n${HOST}\r\n\r\n`],
    ["an asterisk for GET", `GET * HTTP/1.1\r\n${HOST}\r\nConnection: close\r\n\r\n`],
    ["another scheme", `GET ftp://live.example.net/ HTTP/1.1\r\n${HOST}\r\nConnection: close\r\n\r\n`],
    ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["an unknown method", `EVIL / HTTP/1.1\r\n${HOST}\r\n\r\n`],
  ])("%s", async (_what, text) => {
    const before = rejections("bad-request");
    const replies = repliesIn(await exchange(test.port, text));
    expect(replies).toMatchObject([
      { status: 400, headers: { connection: "close", "access-control-allow-origin": "*" } },
    ]);
    expect(rejections("bad-request")).toBe(before + 1);
  });
});

describe("sizes", () => {
  it("takes header lines of 8 KiB and targets of 8 KiB", async () => {
    expect((await ask(test.port, "GET / HTTP/1.1", [HOST, `Cookie: ${"c".repeat(8192)}`])).status).toBe(302);
    const target = `/${"a".repeat(8191)}`;
    const reply = await ask(test.port, `GET ${target} HTTP/1.1`);
    expect(reply.headers["location"]).toBe(`http://127.0.0.11:8081${target}`);
  });

  it.each([8193, 12_000, 20_000, 60_000])("a target of %i octets: 414", async (length) => {
    const before = rejections("uri-too-long");
    const text = await exchange(
      test.port,
      `GET /${"a".repeat(length - 1)} HTTP/1.1\r\n${HOST}\r\nConnection: close\r\n\r\n`,
    );
    expect(repliesIn(text)).toMatchObject([{ status: 414 }]);
    expect(rejections("uri-too-long")).toBe(before + 1);
  });

  it("a header of more than 16 KiB: 431, in whatever pieces it comes", async () => {
    const before = rejections("header-overflow");
    const start = `GET / HTTP/1.1\r\n${HOST}\r\nX: `;
    for (const pieces of [
      [start + "x".repeat(17_000)],
      [start, "x".repeat(17_000), "x".repeat(100_000), "x".repeat(100_000)],
      [`GET / HTTP/1.1\r\n${HOST}\r\nConnection: close\r\n${"a: b\r\n".repeat(4000)}\r\n`],
    ])
      expect(repliesIn(await exchange(test.port, ...pieces))).toMatchObject([{ status: 431 }]);
    expect(rejections("header-overflow")).toBe(before + 3);
  });
});

describe("slowness", () => {
  it("a silent connection is closed without a word", async () => {
    const before = rejections("timeout", brief);
    expect(await exchange(brief.port)).toBe("");
    expect(rejections("timeout", brief)).toBe(before + 1);
  });

  it("a header that does not end: 408", async () => {
    const before = rejections("timeout", brief);
    const text = await exchange(brief.port, "GET / HTTP/1.1\r\n", ...Array.from("Host: live.exam"));
    expect(repliesIn(text)).toMatchObject([{ status: 408, headers: { connection: "close" } }]);
    expect(rejections("timeout", brief)).toBe(before + 1);
  });

  it.each([
    ["a header that stops in its first packet", "GET / HT", [408]],
    ["one behind an answer", `GET /1 HTTP/1.1\r\n${HOST}\r\n\r\nGET /2 HT`, [302, 408]],
  ])("%s: 408", async (_what, text, statuses) => {
    expect(repliesIn(await exchange(brief.port, text)).map(({ status }) => status)).toEqual(statuses);
  });

  it("a connection kept alive is closed when nothing more comes", async () => {
    const text = await exchange(brief.port, `GET / HTTP/1.1\r\n${HOST}\r\n\r\n`);
    expect(repliesIn(text)).toMatchObject([{ status: 302, headers: { connection: "keep-alive" } }]);
  });

  it("many slow connections do not keep a quick one waiting", async () => {
    const limits = { ...BRIEF, headersTimeoutMs: 3000, requestTimeoutMs: 3000, silenceTimeoutMs: 5000 };
    const patient = await openDoor({ limits });
    const slow = Array.from({ length: 150 }, () => connect(patient.port, "127.0.0.1"));
    for (const socket of slow) socket.on("error", () => {});
    await Promise.all(slow.map(async (socket) => await once(socket, "connect")));
    const closed = slow.map(async (socket) => await once(socket.resume(), "close"));
    for (const socket of slow) socket.write("GET / HTTP/1.1\r\nX: ");
    expect((await ask(patient.port, "GET / HTTP/1.1")).status).toBe(302);
    await Promise.all(closed);
    await patient.door.stop();
  });
});

describe("one connection, many requests", () => {
  it("answers a pipeline in order", async () => {
    const paths = Array.from({ length: 50 }, (_, i) => `/${i}`);
    const requests = paths.map((path) => `GET ${path} HTTP/1.1\r\n${HOST}\r\n\r\n`);
    const last = `GET /last HTTP/1.1\r\n${HOST}\r\nConnection: close\r\n\r\n`;
    const replies = repliesIn(await exchange(test.port, requests.join("") + last));
    expect(replies.map(({ headers }) => headers["location"])).toEqual(
      [...paths, "/last"].map((path) => `http://127.0.0.11:8081${path}`),
    );
  });

  it("answers what came before a malformed request first", async () => {
    const good = ["/1", "/2", "/3"].map((path) => `GET ${path} HTTP/1.1\r\n${HOST}\r\n\r\n`).join("");
    const replies = repliesIn(await exchange(test.port, `${good}GET / HTTP/1.1\r\n:\r\n\r\n${good}`));
    expect(replies.map(({ status }) => status)).toEqual([302, 302, 302, 400]);
    expect(replies[2]?.headers["location"]).toBe("http://127.0.0.11:8081/3");
  });

  it("answers nothing that follows an unread body", async () => {
    const text = await exchange(
      test.port,
      `POST /1 HTTP/1.1\r\n${HOST}\r\nContent-Length: 2\r\n\r\nhiGET /2 HTTP/1.1\r\n${HOST}\r\n\r\n`,
    );
    expect(repliesIn(text)).toMatchObject([{ status: 307 }]);
  });

  it.each([
    ["a request that closes", "GET /1 HTTP/1.1", "Connection: close", ""],
    ["one of HTTP/1.0", "GET /1 HTTP/1.0", "Connection: close", ""],
    ["a body that is not asked for", "GET /1 HTTP/1.1", "Expect: 100-continue\r\nContent-Length: 2", "hi, "],
  ])("answers nothing that follows %s", async (_name, line, field, body) => {
    const first = `${line}\r\n${HOST}\r\n${field}\r\n\r\n${body}`;
    const text = await exchange(test.port, `${first}GET /2 HTTP/1.1\r\n${HOST}\r\n\r\nnonsense`);
    expect(repliesIn(text).map(({ status }) => status)).toEqual([302]);
  });

  it("closes the connection of one who sends too many at once for node:http, after some answers", async () => {
    const limits = { ...LINGER, maxRequestsAtOnce: 20 };
    const few = await openDoor({ limits, steer: () => "a manifest" });
    const client = connect(few.port, "127.0.0.1");
    let text = "";
    client.setEncoding("latin1").on("data", (more: string) => (text += more));
    client.on("error", () => {}); // What it sends after is not read.
    client.write(`GET /.edgeward/steering HTTP/1.1\r\n${HOST}\r\n\r\n`.repeat(3000));
    await new Promise((closed) => client.once("close", closed));
    const answers = text.split("HTTP/1.1 200 ").slice(1);
    expect(answers.length).toBeGreaterThanOrEqual(20);
    expect(answers.length).toBeLessThan(3000);
    expect(answers.at(-1)).toContain("Connection: close\r\n");
    await few.door.stop();
  });

  it("closes after as many as allowed", async () => {
    const few = await openDoor({ limits: { ...LINGER, maxRequestsPerConnection: 2 } });
    const one = `GET / HTTP/1.1\r\n${HOST}\r\n\r\n`;
    const replies = repliesIn(await exchange(few.port, one, one));
    expect(replies.map(({ headers }) => headers["connection"])).toEqual(["keep-alive", "close"]);
    await few.door.stop();
  });
});

describe("stop", () => {
  const open = async (port: number) => {
    const socket = connect(port, "127.0.0.1");
    const received: string[] = [];
    socket.setEncoding("latin1").on("data", (text: string) => received.push(text));
    socket.on("error", (error) => received.push(String(error)));
    await once(socket, "connect");
    return { socket, closed: once(socket, "close"), received };
  };
  const request = `GET /a HTTP/1.1\r\n${HOST}\r\n\r\n`;

  it("answers what has been sent, closes what is idle, and takes no one new", async () => {
    const { door, port } = await openDoor({ limits: { stopGraceMs: 60_000 } });
    const idle = await open(port);
    idle.socket.write(request);
    await once(idle.socket, "data");
    const half = await open(port);
    half.socket.write(request.slice(0, 20));
    await ask(port, "GET / HTTP/1.1"); // Who came before has been read.
    const sent = await Promise.all(Array.from({ length: 40 }, async () => await open(port)));
    for (const { socket } of sent) socket.write(request);

    const stopped = door.stop();
    await Promise.all([idle.closed, ...sent.map(({ closed }) => closed)]);
    for (const { received } of sent)
      expect(repliesIn(received.join(""))).toMatchObject([{ status: 302, headers: { connection: "close" } }]);
    expect(repliesIn(idle.received.join(""))).toHaveLength(1);
    await expect(exchange(port, request)).rejects.toThrow("ECONNREFUSED");

    half.socket.write(request.slice(20));
    await half.closed;
    expect(repliesIn(half.received.join(""))).toMatchObject([
      { status: 302, headers: { connection: "close" } },
    ]);
    await stopped;
  });

  it("waits no longer than the grace for a request that does not arrive", async () => {
    const { door, port } = await openDoor({ limits: { stopGraceMs: 100 } });
    const half = await open(port);
    half.socket.write(request.slice(0, 20));
    await ask(port, "GET / HTTP/1.1"); // Who came before has been read.
    await door.stop();
    await half.closed;
    expect(half.received.join("")).toBe("");
  });

  it("loses nothing that it has read under a steady load", async () => {
    const { door, port, questions } = await openDoor();
    let answered = 0;
    let turnedAway = 0;
    const client = async (): Promise<void> => {
      while (turnedAway === 0) {
        try {
          const text = await exchange(port, `GET / HTTP/1.1\r\n${HOST}\r\nConnection: close\r\n\r\n`);
          expect(repliesIn(text)).toMatchObject([{ status: 302 }]);
          answered++;
        } catch (error) {
          // Reset: the connection was still in the kernel's queue when the listening socket was closed.
          expect(["ECONNREFUSED", "ECONNRESET"]).toContain((error as NodeJS.ErrnoException).code);
          turnedAway++;
        }
      }
    };
    const clients = Array.from({ length: 10 }, client);
    while (questions.length < 200) await sleep(5);
    await door.stop();
    await Promise.all(clients);
    expect(answered).toBe(questions.length);
  });
});
