import { createSocket } from "node:dgram";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { decode, RCODES } from "../dns/answers.ts";
import { ZONE } from "../dns/fixture.ts";
import { option, query, TYPES } from "../dns/packets.ts";
import {
  connectTcp,
  frame,
  type Harness,
  startHarness,
  TCP4,
  TCP6,
  type TcpClient,
  UDP4,
  type Way,
  WAYS,
} from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const open: TcpClient[] = [];
afterEach(() => {
  for (const { socket } of open.splice(0)) socket.destroy();
});

async function connected(way: Way, to = harness): Promise<TcpClient> {
  const client = await connectTcp(way.host, to.port(way));
  open.push(client);
  return client;
}

const KEEPALIVE = 11;
const NAME = `static.${ZONE}`;

async function expectServed(way: Way, by = harness): Promise<void> {
  expect((await by.ask(way, { name: NAME })).rcode).toBe(RCODES.NOERROR);
}

const WAYS_OF_TCP = WAYS.filter(([, { transport }]) => transport === "tcp");
const WAYS_OF_IPV4 = WAYS_OF_TCP.filter(([, { host }]) => host === TCP4.host);

describe.each(WAYS_OF_TCP)("%s", (_name, way) => {
  it("RFC 7766 6.2.1.1 (T01): ten queries in one write get ten answers with their IDs", async () => {
    const client = await connected(way);
    const ids = Array.from({ length: 10 }, (_, i) => 1000 + i);
    client.socket.write(Buffer.concat(ids.map((id) => frame(query({ id, name: NAME })))));
    for (const id of ids) expect(decode((await client.next()) ?? Buffer.alloc(0)).id).toBe(id);
  });

  it("RFC 7766 8 (T02): a query in single octets is answered", async () => {
    const client = await connected(way);
    client.socket.setNoDelay(true);
    for (const octet of frame(query({ name: NAME }))) {
      client.socket.write(Uint8Array.of(octet));
      await pause(2);
    }
    expect(decode((await client.next()) ?? Buffer.alloc(0)).rcode).toBe(RCODES.NOERROR);
  });

  it("RFC 7766 6.2.4 (T03): who ends the connection after the query still gets the answer", async () => {
    const client = await connected(way);
    client.socket.end(frame(query({ name: `huge.${ZONE}`, type: TYPES.TXT })));
    expect(decode((await client.next()) ?? Buffer.alloc(0)).counts[1]).toBe(1);
    expect(await client.next()).toBeUndefined();
  });

  it.each([0, 1, 11])(
    "RFC 7766 8 (T04): a message of %i octets ends the connection, not the service",
    async (octets) => {
      const client = await connected(way);
      client.socket.write(frame(Buffer.alloc(octets)));
      expect(await client.next()).toBeUndefined();
      await expectServed(way);
    },
  );

  it("RFC 1035 4.1.1 (T05): a response ends the connection", async () => {
    const client = await connected(way);
    client.socket.write(frame(query({ name: NAME, flags: 0x8000 })));
    expect(await client.next()).toBeUndefined();
    await expectServed(way);
  });

  it("RFC 1035 4.2.2 (T06): a message of 65,535 octets is answered, and so is the next", async () => {
    const client = await connected(way);
    const junk = Buffer.alloc(65_535 - query({ name: NAME }).length);
    client.socket.write(frame(query({ name: NAME, junk })));
    client.socket.write(frame(query({ name: NAME, id: 2 })));
    expect(decode((await client.next()) ?? Buffer.alloc(0)).rcode).toBe(RCODES.NOERROR);
    expect(decode((await client.next()) ?? Buffer.alloc(0)).id).toBe(2);
  });

  it("RFC 7766 6.1 (T07): 60 idle connections keep nobody else out", async () => {
    for (let i = 0; i < 60; i++) await connected(way);
    await expectServed(way);
    await expectServed({ ...way, transport: "udp" });
  });

  it("RFC 7828 3.3.2: who asks is told how long a connection may be idle, in units of 100 ms", async () => {
    const ask = { name: NAME, edns: { options: [option(KEEPALIVE)] } };
    const reply = await harness.ask(way, ask);
    expect([...(reply.opt?.options.get(KEEPALIVE) ?? [])]).toEqual([0, 150]);
    const unasked = await harness.ask(way, { name: NAME, edns: {} });
    expect(unasked.opt?.options.has(KEEPALIVE)).toBe(false);
    const overUdp = await harness.ask({ ...way, transport: "udp" }, ask);
    expect(overUdp.opt?.options.has(KEEPALIVE)).toBe(false);
  });

  it("RFC 7766 6.2.1.1: what was asked before nonsense is answered", async () => {
    const client = await connected(way);
    client.socket.write(Buffer.concat([frame(query({ name: NAME })), frame(Buffer.alloc(3))]));
    expect(decode((await client.next()) ?? Buffer.alloc(0)).rcode).toBe(RCODES.NOERROR);
    expect(await client.next()).toBeUndefined();
  });

  it("RFC 7766 10: a reset right after the query does no harm", async () => {
    for (let i = 0; i < 20; i++) {
      const client = await connected(way);
      client.socket.write(frame(query({ name: NAME })));
      client.socket.resetAndDestroy();
    }
    await expectServed(way);
  });
});

describe.each(WAYS_OF_IPV4)("limits of connections, %s", (_name, way) => {
  const tcp = { connections: 6, connectionsPerNetwork: 4, idleMs: 400 };
  let limited: Harness;
  beforeAll(async () => {
    limited = await startHarness({ dns: { tcp } });
  });
  afterAll(() => limited.stop());

  it("RFC 7766 6.2.2: the client's longest idle connection makes room for its next", async () => {
    const clients = [await connected(way, limited), await connected(way, limited)];
    clients.push(await connected(way, limited), await connected(way, limited));
    // The first is used, so the second is the longest idle.
    clients[0]?.socket.write(frame(query({ name: NAME })));
    expect(await clients[0]?.next()).toBeDefined();
    const newest = await connected(way, limited);
    expect(await clients[1]?.next()).toBeUndefined();
    for (const client of [clients[0], newest]) {
      client?.socket.write(frame(query({ name: NAME })));
      expect(await client?.next()).toBeDefined();
    }
  });

  it("RFC 7766 6.2.3: an idle connection is closed, also one that drips", async () => {
    const idle = await connected(way, limited);
    const dripping = await connected({ ...way, host: TCP6.host }, limited);
    const timer = setInterval(() => dripping.socket.write(Uint8Array.of(1)), 20);
    expect(await idle.next()).toBeUndefined();
    expect(await dripping.next()).toBeUndefined();
    clearInterval(timer);
  });
});

describe.each(WAYS_OF_IPV4)("a client that never reads, %s", (_name, way) => {
  it("RFC 7766 10: its queries wait, others do not", async () => {
    const client = await connected(way);
    client.socket.pause();
    const message = frame(query({ name: `huge.${ZONE}`, type: TYPES.TXT }));
    client.socket.write(Buffer.concat(Array.from({ length: 20_000 }, () => message)));
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 20; i++) {
      await expectServed({ ...way, transport: "udp" });
      await expectServed(way);
    }
    // 20,000 answers of 2 kB would be 40 MB.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8_000_000);
    client.socket.resume();
    let answered = 0;
    while (answered < 20_000 && (await client.next()) !== undefined) answered++;
    expect(answered).toBe(20_000);
  }, 60_000);
});

describe("source ports of reflectors", () => {
  it("T08: a packet from port 7, 13, 19, 37 or 0 gets no reply", async () => {
    // These ports need privileges, so that the rule itself is asked where they cannot be had.
    const { isReflectorPort } = await import("../../src/dns/source.ts");
    const refused = Array.from({ length: 65_536 }, (_, port) => port).filter(isReflectorPort);
    expect(refused).toEqual([0, 7, 13, 19, 37]);
    const socket = createSocket("udp4");
    const bound = await new Promise<boolean>((resolve) => {
      socket.once("error", () => resolve(false));
      socket.bind(19, "127.0.0.1", () => resolve(true));
    });
    const replies: Buffer[] = [];
    socket.on("message", (message) => replies.push(message));
    if (bound) socket.send(query({ name: NAME }), harness.port(UDP4), "127.0.0.1");
    await expectServed(UDP4);
    await expectServed(UDP4);
    expect(replies).toHaveLength(0);
    socket.close();
  });
});
