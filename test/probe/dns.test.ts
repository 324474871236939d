import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { Socket } from "node:net";
import { encode, type Packet, decode } from "dns-packet";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import type { DnsProbe } from "../../src/model/edge.ts";
import { probeDns } from "../../src/probe/dns.ts";
import type { ProbeResult } from "../../src/probe/result.ts";
import { address, dnsProbe } from "./inventory.ts";
import { closedPort, serveTcp, silent } from "./servers.ts";

function probe(port: number, other: Partial<DnsProbe> = {}, at = "127.0.0.1"): Promise<ProbeResult> {
  return probeDns(address(at), dnsProbe(port, other), { clock: systemClock });
}

type Answer = (query: Packet) => Buffer | readonly Buffer[];

const A = { type: "A", name: "edge.example.net", ttl: 20, data: "192.0.2.1" } as const;

/** A response with these answers; `rcode` and flags as numbers of the header. */
function response(query: Packet, answers: Packet["answers"] = [A], flags = 0): Buffer {
  return encode({ type: "response", id: query.id ?? 0, flags, questions: query.questions ?? [], answers });
}

/** Ends with the test. */
async function serveUdp(answer: Answer, host = "127.0.0.1"): Promise<{ port: number; queries: Packet[] }> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  const queries: Packet[] = [];
  socket.on("message", (message, { port, address }) => {
    const query = decode(message);
    queries.push(query);
    for (const reply of [answer(query)].flat()) socket.send(reply, port, address);
  });
  socket.bind(0, host);
  await once(socket, "listening");
  onTestFinished(() => void socket.close());
  return { port: socket.address().port, queries };
}

describe("a probe over DNS", () => {
  it("asks for name and type, and succeeds with a record of that type", async () => {
    const { port, queries } = await serveUdp((query) => response(query));
    expect(await probe(port)).toMatchObject({ ok: true, steps: [{ name: "reply" }] });
    expect(queries[0]?.questions).toMatchObject([{ name: "edge.example.net", type: "A", class: "IN" }]);
    expect(await probe(port, { record: "AAAA" })).toMatchObject({
      ok: false,
      reason: "answer",
      detail: "no-record",
    });
  });

  it("asks for types that dns2 has no name for", async () => {
    const { port, queries } = await serveUdp((query) => response(query, []));
    expect(await probe(port, { record: "HTTPS", answer: false })).toMatchObject({ ok: true });
    expect(queries[0]?.questions).toMatchObject([{ type: "UNKNOWN_65" }]);
  });

  it("works over IPv6 and over TCP of both families", async () => {
    const { port } = await serveUdp((query) => response(query), "::1");
    expect(await probe(port, {}, "::1")).toMatchObject({ ok: true });
    for (const host of ["127.0.0.1", "::1"]) {
      const tcp = await serveTcp(
        overTcp((query) => response(query)),
        host,
      );
      expect(await probe(tcp.port, { transport: "tcp" }, host)).toMatchObject({ ok: true });
      await expect.poll(() => tcp.open.size).toBe(0);
    }
  });

  it("expects a response code other than NOERROR where it is told to", async () => {
    const { port } = await serveUdp((query) => response(query, [], 5));
    expect(await probe(port)).toMatchObject({ ok: false, reason: "answer", detail: "REFUSED" });
    expect(await probe(port, { rcode: "REFUSED", answer: false })).toMatchObject({ ok: true });
    const odd = await serveUdp((query) => response(query, [], 9));
    expect(await probe(odd.port)).toMatchObject({ reason: "answer", detail: "RCODE9" });
  });

  it("takes a truncated answer for one", async () => {
    const { port } = await serveUdp((query) => response(query, [], 0x200));
    expect(await probe(port)).toMatchObject({ ok: true });
  });

  it("waits on after messages that answer nothing: another id, a query, garbage", async () => {
    const { port } = await serveUdp((query) => [
      response({ ...query, id: (query.id ?? 0) ^ 1 }),
      encode({ type: "query", id: query.id ?? 0, questions: query.questions ?? [] }),
      Buffer.from("x"),
      response(query),
    ]);
    expect(await probe(port)).toMatchObject({ ok: true });
  });

  it("fails in time when nothing comes, and survives what comes too late", async () => {
    const late: (() => void)[] = [];
    const socket = createSocket("udp4");
    socket.on("message", (message, { port, address }) => {
      late.push(() => socket.send(response(decode(message)), port, address));
    });
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    onTestFinished(() => void socket.close());
    const { port } = socket.address();
    expect(await probe(port, { timeoutMs: 80 })).toMatchObject({ ok: false, reason: "timeout" });
    for (const send of late) send();
    const tcp = await serveTcp(silent);
    expect(await probe(tcp.port, { transport: "tcp", timeoutMs: 80 })).toMatchObject({ reason: "timeout" });
    await expect.poll(() => tcp.open.size).toBe(0);
  });

  it("tells a closed port at once, over UDP too", async () => {
    const port = await closedPort();
    expect(await probe(port, { timeoutMs: 60_000 })).toMatchObject({ ok: false, reason: "refused" });
    expect(await probe(port, { transport: "tcp" })).toMatchObject({ ok: false, reason: "refused" });
  });

  it("survives an address that this machine cannot send to", async () => {
    // As a network without a route, the broadcast address is refused before anything is sent.
    const result = await probe(53, { timeoutMs: 60_000 }, "255.255.255.255");
    expect(result).toMatchObject({ ok: false, reason: "local", detail: "EACCES" });
  });

  it("tells answers that cannot be read", async () => {
    const { port } = await serveUdp((query) => response(query).subarray(0, 14));
    expect((await probe(port)).ok).toBe(false);
    const early = await serveTcp((socket) => socket.once("data", () => socket.end(Buffer.of(0, 40, 1))));
    expect(await probe(early.port, { transport: "tcp" })).toMatchObject({ reason: "reset" });
    const empty = await serveTcp((socket) => socket.once("data", () => socket.write(Buffer.of(0, 0))));
    expect(await probe(empty.port, { transport: "tcp" })).toMatchObject({ reason: "protocol" });
  });

  it("gives up when told to, also before it has sent anything", async () => {
    const givenUp = new AbortController();
    const running = probeDns(address("127.0.0.1"), dnsProbe(await closedPort()), {
      clock: systemClock,
      signal: givenUp.signal,
    });
    givenUp.abort();
    expect(await running).toMatchObject({ ok: false, reason: "cancelled" });
  });
});

function overTcp(answer: (query: Packet) => Buffer): (socket: Socket) => void {
  return (socket) => {
    socket.once("data", (octets) => {
      const reply = answer(decode(octets.subarray(2)));
      const length = Buffer.alloc(2);
      length.writeUInt16BE(reply.length);
      const whole = Buffer.concat([length, reply]);
      socket.write(whole.subarray(0, 5));
      setTimeout(() => socket.write(whole.subarray(5)), 5);
    });
  };
}
