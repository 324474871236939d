import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openCertificates } from "../../src/http/certificates.ts";
import { certificateFolder } from "./certificate-files.ts";
import { counted, exchange, LIVE, openDoor, repliesIn, serviceOf, type TestDoor } from "./fixture.ts";

const HEARING = serviceOf({ experience: { maxKm: 500, networks: 10 } });
const DEAF = serviceOf({ id: "deaf", hostnames: ["deaf.example.net"] });
const certificates = certificateFolder();

let test: TestDoor;
let heard: string[] = [];
beforeAll(async () => {
  const pair = certificates.make("live", "live.example.net");
  const inUse = openCertificates([pair], { info() {}, warn() {}, error() {} }, Date.now);
  test = await openDoor({
    services: [HEARING, DEAF],
    https: { endpoints: [{ host: "127.0.0.1", port: 0 }], certificates: inUse },
    hear: (service, client, body) =>
      void heard.push(`${service.id} ${client.address.bytes.join(".")} ${body}`),
    limits: { requestTimeoutMs: 300, headersTimeoutMs: 200, checkIntervalMs: 50, lingerMs: 100 },
  });
});
afterAll(async () => {
  await test.door.stop();
  certificates.remove();
});
beforeEach(() => {
  heard = [];
});

const EVENTS = 'e=t,ts=1,v=2,h="ams1",mtp=(1000)\n';
const TYPE = "Content-Type: application/cmcd";

function post(
  body: string,
  { path = "", fields = [TYPE], host = "live.example.net", method = "POST" } = {},
): string {
  const head = [
    `${method} /.edgeward/cmcd${path} HTTP/1.1`,
    `Host: ${host}`,
    `Content-Length: ${body.length}`,
    ...fields,
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}
const end = "GET / HTTP/1.1\r\nHost: live.example.net\r\nConnection: close\r\n\r\n";
const statuses = async (...pieces: string[]): Promise<number[]> =>
  repliesIn(await exchange(test.port, ...pieces)).map(({ status }) => status);

describe("CMCD events", () => {
  it("are heard with the viewer, and the connection goes on", async () => {
    const [reply, next] = repliesIn(await exchange(test.port, post(EVENTS) + end));
    expect(reply).toMatchObject({
      status: 204,
      body: "",
      headers: { "access-control-allow-origin": "*", "cache-control": "no-store" },
    });
    expect(next?.status).toBe(302);
    expect(heard).toEqual([`live 127.0.0.1 ${EVENTS}`]);
    expect(counted(test.door, "http_requests_total", { code: "204", service: "live" })).toBe(1);
  });

  it("may come in pieces, chunked, with parameters of the type, and behind a stream's path", async () => {
    const text = post(EVENTS, {
      path: "/live/cup.m3u8",
      fields: ["content-type: Application/CMCD; charset=utf-8"],
    });
    expect(await statuses(text.slice(0, 30), text.slice(30, -10), text.slice(-10), end)).toEqual([204, 302]);
    const chunked = `POST /.edgeward/cmcd HTTP/1.1\r\nHost: live.example.net\r\n${TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n`;
    expect(await statuses(chunked + end)).toEqual([204, 302]);
    expect(heard).toContain(`live 127.0.0.1 ${EVENTS}`);
    expect(heard).toContain("live 127.0.0.1 abcde");
  });

  it("are preflighted", async () => {
    expect(await statuses(post("", { method: "OPTIONS" }) + end)).toEqual([204, 302]);
  });

  it.each([
    ["another method", post("", { method: "GET", fields: [TYPE, "Connection: close"] }), 405],
    ["another type", post(EVENTS, { fields: ["Content-Type: text/plain"] }), 415],
    ["no type", post(EVENTS, { fields: [] }), 415],
    ["a service that does not listen", post(EVENTS, { host: "deaf.example.net" }), 404],
    ["nobody's hostname", post(EVENTS, { host: "x.example" }), 421],
    ["more than is read", post("x".repeat(33 * 1024)), 413],
    ["a body that never ends", post(EVENTS).slice(0, -1), 408],
  ])("are refused for %s", async (_why, text, status) => {
    expect((await statuses(text))[0]).toBe(status);
    expect(heard.filter((one) => one.includes("mtp"))).toEqual([]);
  });

  it("come over HTTP/2 too", async () => {
    const port = test.door.httpsEndpoints[0]?.port ?? 0;
    const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    const send = async (body: string): Promise<unknown> => {
      const stream = session.request({
        ":method": "POST",
        ":path": "/.edgeward/cmcd",
        ":authority": "live.example.net",
        "content-type": "application/cmcd",
      });
      stream.end(body);
      const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
      stream.resume();
      return headers[":status"];
    };
    expect([await send(EVENTS), await send("x".repeat(33 * 1024))]).toEqual([204, 413]);
    expect(heard).toContain(`live 127.0.0.1 ${EVENTS}`);
    session.destroy();
  });

  it("are nobody's where nobody listens", async () => {
    const deaf = await openDoor({ services: [{ ...LIVE, experience: { maxKm: 500, networks: 10 } }] });
    expect(repliesIn(await exchange(deaf.port, post(EVENTS)))[0]?.status).toBe(404);
    await deaf.door.stop();
  });
});
