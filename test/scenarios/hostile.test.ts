import { writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { afterAll, describe, expect, it } from "vitest";
import { queryPacket, type Reply, readReply, tcpExchange } from "./dns-client.ts";
import {
  type Config,
  LIVE,
  LONDON,
  referenceConfig,
  replaceFile,
  textOf,
  TOKYO,
  withPackagedDatabases,
} from "./reference.ts";
import { takeNetwork } from "./network.ts";
import { waitFor } from "./wait.ts";
import { firstEdges, type Service, serviceForAll } from "./harness.ts";

/** Everything an attacker chooses here says this, so that it can be looked for where it must not be. */
const MARK = "3v1l-m4rk";
/** What could move a cursor or turn a line round: all of Unicode's control, format and separator characters. */
const UNPRINTABLE = /[\p{Cf}\p{Zl}\p{Zp}]|(?!\n)\p{Cc}/u;
const PASSWORD = "c0rrect-h0rse";
const UNTRUSTED = "127.0.0.5";
const [FORMERR, BADVERS] = [1, 16];

describe("bad input", () => {
  const network = takeNetwork();
  let config: Config;
  const service = serviceForAll(async () => {
    config = withPackagedDatabases(await referenceConfig(network));
    config["trustedProxies"] = ["127.0.0.1/32"];
    return config;
  });

  /** How much the named counters (all that start so) have grown while something was done. */
  const growth = async (name: string, act: () => Promise<unknown>): Promise<number> => {
    const sum = async (): Promise<number> =>
      [...(await service.metrics())]
        .filter(([sample]) => sample.startsWith(`edgeward_${name}`))
        .reduce((total, [, value]) => total + value, 0);
    const before = await sum();
    await act();
    return (await sum()) - before;
  };

  describe("at the DNS door", () => {
    const header = (flags: number, counts: readonly number[] = [1, 0, 0, 0]): Buffer => {
      const octets = Buffer.alloc(12);
      [0x1234, flags, ...counts].forEach((value, i) => octets.writeUInt16BE(value, 2 * i));
      return octets;
    };
    const question = Buffer.from(
      `\u0004live\u0003cdn\u0007example\u0003net\u0000\u0000\u0001\u0000\u0001`,
      "latin1",
    );
    const opt = (options: Buffer, { version = 0, length = options.length } = {}): Buffer => {
      const head = Buffer.from([0, 0, 41, 4, 208, 0, version, 0, 0, length >> 8, length & 255]);
      return Buffer.concat([head, options]);
    };
    const option = (code: number, data: Buffer, length = data.length): Buffer =>
      Buffer.concat([Buffer.from([code >> 8, code & 255, length >> 8, length & 255]), data]);
    const withOpt = (...opts: Buffer[]): Buffer =>
      Buffer.concat([header(0, [1, 0, 0, opts.length]), question, ...opts]);
    const subnet = (octets: readonly number[]): Buffer => opt(option(8, Buffer.from(octets)));

    const malformed: readonly (readonly [string, Buffer, number])[] = [
      ["a header without its question", header(0), FORMERR],
      ["a name that never ends", Buffer.concat([header(0), Buffer.alloc(40, "\u0003abc")]), FORMERR],
      [
        "a name that points at itself",
        Buffer.concat([header(0), Buffer.from([0xc0, 12, 0, 1, 0, 1])]),
        FORMERR,
      ],
      ["a label of 64 octets", Buffer.concat([header(0), Buffer.alloc(70, 64)]), FORMERR],
      ["65,535 questions", Buffer.concat([header(0, [65_535, 0, 0, 0]), question]), FORMERR],
      ["65,535 of everything", Buffer.concat([header(0, [1, 65_535, 65_535, 65_535]), question]), FORMERR],
      ["two OPT records", withOpt(opt(Buffer.alloc(0)), opt(Buffer.alloc(0))), FORMERR],
      ["an option longer than its record", withOpt(opt(option(10, Buffer.alloc(8), 4000))), FORMERR],
      ["an OPT longer than its packet", withOpt(opt(Buffer.alloc(8), { length: 60_000 })), FORMERR],
      ["a subnet of 33 bits", withOpt(subnet([0, 1, 33, 0, 1, 2, 3, 4, 5])), FORMERR],
      ["a subnet with octets beyond it", withOpt(subnet([0, 1, 8, 0, 1, 2, 3, 4])), FORMERR],
      ["a subnet with bits beyond it", withOpt(subnet([0, 1, 9, 0, 1, 255])), FORMERR],
      ["a subnet of family 77", withOpt(subnet([0, 77, 8, 0, 1])), FORMERR],
      ["a subnet with a scope", withOpt(subnet([0, 1, 8, 8, 1])), FORMERR],
      ["EDNS version 255", withOpt(opt(Buffer.alloc(0), { version: 255 })), BADVERS],
    ];

    it.each(malformed)("refuses %s, and counts it", async (_name, packet, rcode) => {
      const counted = rcode === FORMERR ? "FORMERR" : "BADVERS";
      let reply: Reply | undefined;
      const grown = await growth(`dns_responses_total{rcode="${counted}"}`, async () => {
        const octets = await service.dns.send(packet, 1500);
        reply = octets && readReply(octets);
      });
      expect(reply?.rcode).toBe(rcode);
      expect(grown).toBe(1);
    });

    it.each([
      ["short", "a packet shorter than a header", Buffer.from([0x12, 0x34, 0, 0, 0])],
      ["response", "a response", Buffer.concat([header(0x8000), question])],
    ])("drops and counts as %s: %s", async (reason, _name, packet) => {
      const grown = await growth(`dns_dropped_total{reason="${reason}"}`, async () => {
        expect(await service.dns.send(packet, 300)).toBeUndefined();
      });
      expect(grown).toBe(1);
    });

    it("answers a packet of 16,000 empty options, or calls it malformed where it is cut on receipt", async () => {
      const packet = withOpt(opt(Buffer.alloc(64_000, option(65_001, Buffer.alloc(0)))));
      const grown = await growth("dns_responses_total", async () => {
        const reply = await service.dns.send(packet, 1500);
        expect([0, FORMERR]).toContain(reply && readReply(reply).rcode);
      });
      expect(grown).toBe(1);
    });

    const framed = (length: number, octets: Buffer): Buffer =>
      Buffer.concat([Buffer.from([length >> 8, length & 255]), octets]);

    it("answers what came before a TCP message that is cut off halfway, and counts the cut", async () => {
      const query = queryPacket(7, LIVE);
      const stream = Buffer.concat([
        framed(query.length, query),
        framed(65_535, Buffer.alloc(32_000, query)),
      ]);
      let received: Buffer = Buffer.alloc(0);
      const grown = await growth("dns_dropped_total", async () => {
        received = await tcpExchange(service.doors.dns, stream);
      });
      expect(readReply(received.subarray(2)).addresses.length).toBeGreaterThan(0);
      expect(received.length, "one reply").toBe(2 + received.readUInt16BE(0));
      expect(grown).toBe(1);
    });

    it("refuses a whole TCP message of 64 KiB of nothing", async () => {
      const grown = await growth('dns_responses_total{rcode="FORMERR"}', async () => {
        const octets = Buffer.concat([header(0, [1, 9999, 9999, 9999]), question, Buffer.alloc(65_000)]);
        const reply = await tcpExchange(service.doors.dns, framed(octets.length, octets));
        expect(readReply(reply.subarray(2)).rcode).toBe(FORMERR);
      });
      expect(grown).toBe(1);
    });

    it("goes on while 200 clients hold half a message, and drop it", async () => {
      const octets = framed(65_535, Buffer.alloc(40_000));
      const holders = Array.from({ length: 200 }, () =>
        tcpExchange(service.doors.dns, octets, { end: false, timeoutMs: 5000 }),
      );
      let gone = 0;
      for (const holder of holders) void holder.then(() => gone++);
      expect((await service.dns.ask(LIVE)).addresses.length).toBeGreaterThan(0);
      expect(gone).toBe(0);
      await Promise.all(holders);
      expect((await service.dns.ask(LIVE)).addresses.length).toBeGreaterThan(0);
    });
  });

  describe("at the HTTP door", () => {
    const raw = async (head: string): Promise<string> => {
      const octets = Buffer.from(`${head}\r\nConnection: close\r\n\r\n`, "latin1");
      return (await tcpExchange(service.doors.http, octets, { end: false, timeoutMs: 700 })).toString(
        "latin1",
      );
    };
    const host = `Host: ${LIVE}`;
    const line = (size: number): string => `X-Junk: ${MARK.padEnd(size - 8, "j")}`;

    it("takes a header line of 8 KiB", async () => {
      expect(await raw(`GET /x HTTP/1.1\r\n${host}\r\n${line(8192)}`)).toMatch(/^HTTP\/1\.1 302 /);
    });

    it.each([
      [
        "431",
        "header-overflow",
        "three header lines of 8 KiB",
        () => [host, line(8192), line(8192), line(8192)],
      ],
      ["431", "header-overflow", "1,000 header lines", () => [host, ...Array<string>(1000).fill("a: b")]],
      [
        "400",
        "bad-(host|request)",
        "a Host with control characters",
        () => [`Host: live\u0001\u001b[31m${MARK}`],
      ],
      ["400", "bad-host", "a Host that is none", () => [`Host: ${MARK}"><script>`]],
      ["400", "bad-host", "two Hosts", () => [host, `Host: ${MARK}`]],
      ["400", "bad-(host|request)", "no Host", () => [`X: ${MARK}`]],
      ["400", "bad-request", "a header line without a colon", () => [host, MARK]],
      ["400", "bad-request", "two lengths", () => [host, "Content-Length: 1", "Content-Length: 2"]],
    ])("answers %s (%s) to %s", async (status, reason, _name, headers) => {
      const names = reason.includes("(") ? ["bad-host", "bad-request"] : [reason];
      let answer = "";
      let grown = 0;
      const before = await service.metrics();
      answer = await raw(["GET /x HTTP/1.1", ...headers()].join("\r\n"));
      const after = await service.metrics();
      for (const name of names) {
        const sample = `edgeward_http_rejected_total{reason="${name}"}`;
        grown += (after.get(sample) ?? 0) - (before.get(sample) ?? 0);
      }
      expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(answer).not.toContain(MARK);
      expect(grown).toBe(1);
    });

    it("answers 414 to a target of 9 KiB", async () => {
      const grown = await growth('http_rejected_total{reason="uri-too-long"}', async () => {
        const answer = await raw(`GET /${MARK.padEnd(9000, "a")} HTTP/1.1\r\n${host}`);
        expect(answer).toMatch(/^HTTP\/1\.1 414 /);
        expect(answer).not.toContain(MARK);
      });
      expect(grown).toBe(1);
    });

    it("answers 421 to a hostname of nobody", async () => {
      const grown = await growth('http_requests_total{code="421"', async () => {
        const answer = await raw(`GET /x HTTP/1.1\r\nHost: ${MARK}.example`);
        expect(answer).toMatch(/^HTTP\/1\.1 421 /);
        expect(answer).not.toContain(MARK);
      });
      expect(grown).toBe(1);
    });

    it("leaves %0d%0a in a path as it is", async () => {
      const answer = await raw(`GET /x%0d%0aSet-Cookie:%20${MARK}=1?q=%0D%0A HTTP/1.1\r\n${host}`);
      expect(answer).toMatch(/^HTTP\/1\.1 302 /);
      expect(answer).toMatch(
        new RegExp(
          `\\r\\nLocation: http://127\\.0\\.0\\.1[123]:8081/x%0d%0aSet-Cookie:%20${MARK}=1\\?q=%0D%0A\\r\\n`,
        ),
      );
      expect(answer).not.toMatch(/^Set-Cookie/im);
    });

    it.each([
      "//evil.example/x",
      "/\\evil.example",
      "http://evil.example/x",
      "/@evil.example",
      "/.evil.example",
    ])("never redirects %s elsewhere", async (target) => {
      const answer = await raw(`GET ${target} HTTP/1.1\r\n${host}`);
      const location = /\r\nLocation: (\S+)/.exec(answer)?.[1];
      const isElsewhere = location !== undefined && !/^127\.0\.0\.1[123]$/.test(new URL(location).hostname);
      expect(isElsewhere, answer).toBe(false);
    });

    it("does not believe X-Forwarded-For, Forwarded or X-Real-IP of who is not trusted", async () => {
      const ask = async (localAddress: string): Promise<string> =>
        await viewerSeen(service, localAddress, {
          "x-forwarded-for": TOKYO,
          forwarded: `for=${TOKYO}`,
          "x-real-ip": TOKYO,
        });
      expect(await ask(UNTRUSTED)).toBe(UNTRUSTED);
      expect(await ask("127.0.0.1"), "from the proxy that is").toBe(TOKYO);
    });

    it("does not believe what stands left of the first untrusted hop", async () => {
      const seen = await viewerSeen(service, "127.0.0.1", { "x-forwarded-for": `${TOKYO}, ${LONDON}` });
      expect(seen).toBe(LONDON);
    });
  });

  describe("at the operators' door", () => {
    const report = "/v1/edges/ams1/load";

    it.each([
      [400, "NaN", `{"viewers": NaN}`],
      [422, "a negative number", `{"viewers": -1}`],
      [422, "a number too large for one", `{"bandwidth": 1e309}`],
      [422, "a text for a number", `{"cpu": "${MARK}"}`],
      [422, "more than all of it", `{"cpu": 1.5}`],
      [422, "an unknown key", `{"${MARK}\\u001b": 1}`],
      [400, "a poisonous key", `{"__proto__": {"viewers": 1}}`],
      [422, "a list", `[1]`],
      [400, "half of it", `{"viewers": 1`],
      [413, "1 MiB of streams", JSON.stringify({ streams: Array<string>(90_000).fill("stream-12345") })],
      [422, "a stream of 100 KiB", JSON.stringify({ streams: ["s".repeat(100_000)] })],
    ])("answers %i to a load report with %s", async (status, _name, body) => {
      const before = (await service.ops("GET", "/v1/edges/ams1")).json;
      const grown = await growth(`ops_requests_total{operation="load",code="${status}"}`, async () => {
        const answer = await service.ops("PUT", report, body);
        expect(answer.status, answer.text).toBe(status);
        expect(answer.headers["content-type"]).toContain("application/problem+json");
        expect(answer.text).not.toContain("\u001b");
      });
      expect(grown).toBe(1);
      expect((await service.ops("GET", "/v1/edges/ams1")).json.load).toEqual(before.load);
    });

    it("answers 403 to a page of another origin and to a foreign Host", async () => {
      const { host, port } = service.doors.ops;
      const refused = async (headers: string): Promise<string> => {
        const octets = Buffer.from(
          `POST /v1/reload HTTP/1.1\r\n${headers}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
        );
        return (await tcpExchange({ host, port }, octets, { end: false, timeoutMs: 500 })).toString();
      };
      const own = `Host: ${host}:${port}`;
      expect(await refused(`${own}\r\nOrigin: http://${MARK}.example`)).toMatch(/^HTTP\/1\.1 403/);
      expect(await refused(`Host: ${MARK}.example`)).toMatch(/^HTTP\/1\.1 403/);
    });
  });

  it("leaves no word of the network's in the log", () => {
    expect(service.log().filter(({ level }) => level === "error")).toEqual([]);
    expect(service.stderr()).not.toContain(MARK);
  });

  describe("in the configuration", () => {
    const refused = async (text: string): Promise<{ line: number; column: number; message: string }[]> => {
      replaceFile(service.configFile, text);
      const answer = await service.ops("POST", "/v1/reload");
      expect(answer.status, answer.text).toBe(422);
      expect((await service.metrics()).get("edgeward_config_last_reload_successful")).toBe(0);
      expect(await firstEdges(service, LONDON)).toEqual(["127.0.0.11", "127.0.0.11"]);
      return answer.json.problems as { line: number; column: number; message: string }[];
    };

    afterAll(async () => {
      writeFileSync(service.configFile, textOf(config));
      await waitFor(
        async () => (await service.metrics()).get("edgeward_config_last_reload_successful") === 1,
        30_000,
        "the mended configuration",
      );
    });

    it("a YAML bomb is refused before it goes off, in one line", async () => {
      const layers = Array.from(
        { length: 12 },
        (_, i) => `a${i + 1}: &a${i + 1} [${Array<string>(9).fill(`*a${i}`).join(", ")}]`,
      );
      const problems = await refused([`a0: &a0 [${MARK}, ${MARK}]`, ...layers, textOf(config)].join("\n"));
      expect(problems.map(({ message }) => message).join()).toContain("alias");
    });

    it("a document of brackets is refused", async () => {
      await refused("[".repeat(500_000));
    });

    it("a file of control characters is refused", async () => {
      await refused(`\u001b[31m${MARK}\u0000\u0007: 1\n`);
    });

    it("a probe URL with credentials is refused, and they are not told", async () => {
      const wrong = structuredClone(config);
      wrong["edges"].ams1.probe = { type: "http", url: `http://user:${PASSWORD}@127.0.0.11:8081/health` };
      const problems = await refused(textOf(wrong));
      const line =
        textOf(wrong)
          .split("\n")
          .findIndex((text) => text.includes(PASSWORD)) + 1;
      expect(problems).toMatchObject([{ line, path: "edges.ams1.probe.url" }]);
      expect(JSON.stringify(problems)).not.toContain(PASSWORD);
      expect(service.stderr()).not.toContain(PASSWORD);
    });
  });

  it("holds connections to nobody: 300 that send nothing do not keep others out", async () => {
    const { host, port } = service.doors.http;
    const sockets = Array.from({ length: 300 }, () => connect(port, host).on("error", () => {}));
    expect((await service.get("/x", { from: LONDON })).status).toBe(302);
    for (const socket of sockets) socket.destroy();
  });

  it("has not ended the service: the same process answers, with a log that is safe to look at", async () => {
    expect(await firstEdges(service, LONDON)).toEqual(["127.0.0.11", "127.0.0.11"]);
    expect(() => process.kill(service.pid, 0)).not.toThrow();
    expect(service.stderr()).not.toMatch(UNPRINTABLE);
  });
});

/** The viewer's address as the HTTP door takes it, for a request from that address of this machine. */
function viewerSeen(
  { doors }: Service,
  localAddress: string,
  headers: Record<string, string>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        ...doors.http,
        localAddress,
        path: "/x",
        headers: { host: LIVE, accept: "application/json", ...headers },
      },
      (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () =>
          resolve((JSON.parse(text) as { viewer: { address: string } }).viewer.address),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.end();
  });
}
