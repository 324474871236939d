import { createSocket } from "node:dgram";
import { networkInterfaces } from "node:os";
import koffi from "koffi";
import { describe, expect, it, onTestFinished } from "vitest";
import { type BatchThreadSockets, openBatchSockets } from "../../src/dns/batch-door.ts";
import { BATCH_PACKETS } from "../../src/dns/batch-memory.ts";
import { type BatchOptions, PacketBatch } from "../../src/dns/batch.ts";
import { counterCells, createDnsCounters, dnsMetrics } from "../../src/dns/counters.ts";
import { ERRNO, type Libc } from "../../src/base/libc.ts";
import { listenUdp } from "../../src/dns/udp.ts";
import { QUIET } from "../rfc/harness.ts";
import { LIBC, listenInBatches } from "./batched.ts";

/** Repeats what it gets. */
const echo: BatchOptions["respond"] = (packet, length, _source, out) => {
  out.octets.set(packet.octets.subarray(0, length));
  return length;
};

const UNCOUNTED = { dropped() {} };
const ANY_PORT = { host: "127.0.0.1", port: 0 };

describe.skipIf(LIBC.kind === "unavailable")("batched sockets", () => {
  const libc = LIBC.kind === "loaded" ? LIBC.libc : (undefined as never);

  /** One thread's sockets, looked at only when a test says so. */
  function open(endpoint = ANY_PORT): {
    port: number;
    sockets: ReturnType<typeof openBatchSockets>;
    thread: BatchThreadSockets;
  } {
    const sockets = openBatchSockets(libc, [endpoint], 1);
    onTestFinished(() => sockets.close());
    const port = sockets.endpoints[0]?.port ?? 0;
    return { port, sockets, thread: sockets.threads[0] as BatchThreadSockets };
  }

  it("answer more packets than one batch holds, each to whom it came from", async () => {
    const { port, thread } = open();
    const clients = await Promise.all(Array.from({ length: 5 }, () => openClient()));
    for (const [c, client] of clients.entries())
      for (let i = 0; i < 40; i++) await client.send(Buffer.from([c, i]), port, "127.0.0.1");
    const batch = new PacketBatch(libc, { respond: echo, counters: UNCOUNTED });
    const taken = [1, 2, 3, 4, 5].map(() => batch.turn(thread.sockets[0] as never));
    expect(taken).toEqual([BATCH_PACKETS, BATCH_PACKETS, BATCH_PACKETS, 200 - 3 * BATCH_PACKETS, 0]);
    for (const [c, client] of clients.entries()) {
      await client.received(40);
      expect(client.messages.map((m) => [...m])).toEqual(Array.from({ length: 40 }, (_, i) => [c, i]));
    }
  });

  it.each([
    ["127.0.0.1", { level: 0, name: 10 }],
    ["::1", { level: 41, name: 23 }],
  ])("have no reply fragmented, whatever is said of the path: %s", (host, { level, name }) => {
    const getsockopt = koffi.load(null).func("int getsockopt(int, int, int, void *, void *)");
    const value = new Uint32Array(1);
    const { fd } = open({ host, port: 0 }).thread.sockets[0] as { fd: number };
    expect(getsockopt(fd, level, name, value, Uint32Array.of(4))).toBe(0);
    expect(value[0]).toBe(3); // IP_PMTUDISC_PROBE, IPV6_PMTUDISC_PROBE
  });

  it("pass over packets without a reply, and answer the others as they came", async () => {
    const { port, thread } = open();
    const client = await openClient();
    for (let i = 0; i < 10; i++) await client.send(Buffer.from([i]), port, "127.0.0.1");
    const respond: typeof echo = (packet, ...rest) =>
      (packet.octets[0] ?? 0) % 3 === 0 ? 0 : echo(packet, ...rest);
    new PacketBatch(libc, { respond, counters: UNCOUNTED }).turn(thread.sockets[0] as never);
    await client.received(6);
    expect(client.messages.map((message) => message[0])).toEqual([1, 2, 4, 5, 7, 8]);
  });

  it("read as much of a long datagram as the plain ones", async () => {
    const lengths: number[] = [];
    const respond = (_packet: unknown, length: number): number => {
      lengths.push(length);
      return 1;
    };
    const batched = listenInBatches([ANY_PORT], { respond, counters: UNCOUNTED });
    onTestFinished(() => batched.stop());
    const counters = createDnsCounters(new Float64Array(counterCells()));
    const plain = await listenUdp(ANY_PORT, { respond, counters, log: QUIET });
    onTestFinished(() => plain.stop());
    for (const port of [batched.endpoints[0]?.port ?? 0, plain.endpoint.port]) {
      const client = await openClient();
      await client.send(Buffer.alloc(9000), port, "127.0.0.1");
      await client.received(1);
    }
    expect(lengths).toEqual([4096, 4096]);
  });

  it.each(["127.0.0.2", "127.9.9.9", ...ownAddresses()])(
    "reply from %s when the query came to it, though bound to all addresses",
    async (host) => {
      const wildcard = host.includes(":") ? "::" : "0.0.0.0";
      const batched = listenInBatches([{ host: wildcard, port: 0 }], { respond: echo, counters: UNCOUNTED });
      onTestFinished(() => batched.stop());
      const client = await openClient(host.includes(":") ? "udp6" : "udp4");
      for (let i = 0; i < 3; i++) await client.send(Buffer.from([i]), batched.endpoints[0]?.port ?? 0, host);
      await client.received(3);
      expect(client.sources).toEqual([host, host, host]);
    },
  );

  it("refuse an address that another program listens on", async () => {
    const socket = createSocket("udp4");
    onTestFinished(() => void socket.close());
    await new Promise<void>((resolve) => {
      socket.bind(0, "127.0.0.1", resolve);
    });
    const { port } = socket.address();
    expect(() => openBatchSockets(libc, [ANY_PORT, { host: "127.0.0.1", port }], 2)).toThrow(
      `cannot listen for DNS on 127.0.0.1:${port} (UDP): another program listens there (EADDRINUSE)`,
    );
  });

  it("refuse an address that this machine does not have", () => {
    expect(() => openBatchSockets(libc, [{ host: "192.0.2.1", port: 0 }], 1)).toThrow(
      "cannot listen for DNS on 192.0.2.1:0 (UDP): this machine does not have the address (EADDRNOTAVAIL)",
    );
  });

  describe("join replies to one client", () => {
    /** How many messages each call is asked to send. */
    function watched(changes: Partial<Libc> = {}): { libc: Libc; asked: number[] } {
      const asked: number[] = [];
      return {
        asked,
        libc: {
          ...libc,
          ...changes,
          sendmmsg(fd, headers, count, flags) {
            asked.push(count);
            const { sendmmsg } = changes;
            return sendmmsg === undefined
              ? libc.sendmmsg(fd, headers, count, flags)
              : sendmmsg(fd, headers, count, flags);
          },
        },
      };
    }

    /** Packets of these lengths, each filled with its number. */
    async function ask(
      client: Client,
      port: number,
      host: string,
      lengths: readonly number[],
    ): Promise<void> {
      for (const [i, length] of lengths.entries()) await client.send(Buffer.alloc(length, i), port, host);
    }

    function described(messages: readonly Buffer[]): [length: number, filling: number][] {
      return messages.map((message) => {
        expect(new Set(message).size).toBe(1);
        return [message.length, message[0] as number];
      });
    }

    it.each([
      ["127.0.0.1", "udp4"],
      ["::1", "udp6"],
    ] as const)("where they are of one length, and the system cuts them up: %s", async (host, type) => {
      const { port, thread } = open({ host, port: 0 });
      const client = await openClient(type);
      await ask(client, port, host, [20, 30, 20, 40, 30, 20]);
      const { libc: seen, asked } = watched();
      new PacketBatch(seen, { respond: echo, counters: UNCOUNTED }).turn(thread.sockets[0] as never);
      await client.received(6);
      expect(asked).toEqual([3]);
      expect(described(client.messages).toSorted((a, b) => a[1] - b[1])).toEqual(
        [20, 30, 20, 40, 30, 20].map((length, i) => [length, i]),
      );
    });

    it("but not beyond what an IP packet holds", async () => {
      const { port, thread } = open();
      const client = await openClient();
      const lengths = Array.from({ length: BATCH_PACKETS }, () => 1232);
      await ask(client, port, "127.0.0.1", lengths);
      const { libc: seen, asked } = watched();
      new PacketBatch(seen, { respond: echo, counters: UNCOUNTED }).turn(thread.sockets[0] as never);
      await client.received(BATCH_PACKETS);
      expect(asked).toEqual([2]);
      expect(described(client.messages)).toEqual(lengths.map((length, i) => [length, i]));
    });

    it.each([
      ["0.0.0.0", ["127.0.0.2", "127.0.0.3"]],
      [
        "::",
        ownAddresses()
          .filter((address) => address.includes(":"))
          .slice(0, 2),
      ],
    ])("if they leave from one address, where %s is listened on", async (host, ours) => {
      const { port, thread } = open({ host, port: 0 });
      const client = await openClient(host.includes(":") ? "udp6" : "udp4");
      for (const address of ours)
        for (let i = 0; i < 4; i++) await client.send(Buffer.from([i]), port, address);
      const { libc: seen, asked } = watched();
      new PacketBatch(seen, { respond: echo, counters: UNCOUNTED }).turn(thread.sockets[0] as never);
      await client.received(4 * ours.length);
      expect(asked).toEqual([ours.length]);
      for (const address of ours)
        expect(client.messages.filter((_, i) => client.sources[i] === address).map((m) => m[0])).toEqual([
          0, 1, 2, 3,
        ]);
    });

    it.each([
      ["a device does not cut up", ERRNO.EIO, [1, 1, 1, 1, 4]],
      ["a system does not, though it said so", ERRNO.EINVAL, [1, 1, 1, 1, 4]],
      ["a path is too narrow for", 90, [1, 1, 1, 1, 1]],
    ])("unless they are those that %s: then each goes by itself", async (_name, errno, calls) => {
      const { port, thread } = open();
      const client = await openClient();
      let isRefused = true;
      const { libc: refusing, asked } = watched({
        sendmmsg(...call) {
          if (isRefused) return -1;
          return libc.sendmmsg(...call);
        },
        errno() {
          isRefused = false;
          return errno;
        },
      });
      const batch = new PacketBatch(refusing, { respond: echo, counters: UNCOUNTED });
      for (const expected of [3, 7]) {
        await ask(client, port, "127.0.0.1", expected === 3 ? [20, 20, 20] : [20, 20, 20, 20]);
        batch.turn(thread.sockets[0] as never);
        await client.received(expected);
      }
      expect(described(client.messages).map(([, i]) => i)).toEqual([0, 1, 2, 0, 1, 2, 3]);
      expect(asked).toEqual(calls);
    });

    it("unless the system is too old for it", async () => {
      const { port, thread } = open();
      const client = await openClient();
      await ask(client, port, "127.0.0.1", [20, 20, 20]);
      const { libc: old, asked } = watched({ setsockopt: () => -1 });
      new PacketBatch(old, { respond: echo, counters: UNCOUNTED }).turn(thread.sockets[0] as never);
      await client.received(3);
      expect(asked).toEqual([3]);
    });

    it("and look for them now and then, where a batch had none", async () => {
      const { port, thread } = open();
      const clients = await Promise.all(Array.from({ length: 8 }, () => openClient()));
      const { libc: seen, asked } = watched();
      const batch = new PacketBatch(seen, { respond: echo, counters: UNCOUNTED });
      for (const each of clients) await ask(each, port, "127.0.0.1", [20]);
      batch.turn(thread.sockets[0] as never);
      for (let turn = 0; turn < 16; turn++) {
        await ask(clients[0] as Client, port, "127.0.0.1", [20, 20]);
        batch.turn(thread.sockets[0] as never);
      }
      await clients[0]?.received(33);
      expect(asked).toEqual([8, ...Array.from({ length: 15 }, () => 2), 1]);
    });
  });

  describe("when the system refuses", () => {
    const failing = (errno: number, fails: (call: number) => boolean): Libc => {
      let calls = 0;
      let failed = false;
      return {
        ...libc,
        sendmmsg(...call) {
          failed = fails(++calls);
          return failed ? -1 : libc.sendmmsg(...call);
        },
        errno: () => (failed ? errno : libc.errno()),
      };
    };

    async function answered(faulty: Libc, count: number): Promise<{ messages: number[]; lost: number }> {
      const { port, thread } = open();
      const client = await openClient();
      // Of different lengths, so that each goes by itself.
      for (let i = 0; i < count; i++) await client.send(Buffer.alloc(i + 1, i), port, "127.0.0.1");
      const cells = new Float64Array(counterCells());
      const batch = new PacketBatch(faulty, { respond: echo, counters: createDnsCounters(cells) });
      batch.turn(thread.sockets[0] as never);
      // What comes after is answered as ever.
      await client.send(Buffer.from([99]), port, "127.0.0.1");
      new PacketBatch(libc, { respond: echo, counters: UNCOUNTED }).turn(thread.sockets[0] as never);
      await client.receivedOne((message) => message[0] === 99);
      return { messages: client.messages.map((m) => m[0] as number), lost: drops(cells, "send-error") };
    }

    it.each([
      ["ENOBUFS", 105],
      ["EPERM", ERRNO.EPERM],
      ["ECONNREFUSED", 111],
    ])("%s for one reply, that one is lost and counted", async (_name, errno) => {
      const result = await answered(
        failing(errno, (call) => call === 1),
        5,
      );
      expect(result).toEqual({ messages: [1, 2, 3, 4, 99], lost: 1 });
    });

    it("EINTR, nothing is lost", async () => {
      const result = await answered(
        failing(ERRNO.EINTR, (call) => call === 1),
        3,
      );
      expect(result).toEqual({ messages: [0, 1, 2, 99], lost: 0 });
    });

    it("EAGAIN after it has waited, the batch is lost and counted", async () => {
      const result = await answered(
        failing(ERRNO.EAGAIN, () => true),
        3,
      );
      expect(result).toEqual({ messages: [99], lost: 3 });
    });

    it("EAGAIN for joined replies, it is not asked for each of them", async () => {
      const { port, thread } = open();
      const client = await openClient();
      for (let i = 0; i < 5; i++) await client.send(Buffer.alloc(20, i), port, "127.0.0.1");
      const cells = new Float64Array(counterCells());
      let calls = 0;
      const full: Libc = {
        ...libc,
        sendmmsg() {
          calls++;
          return -1;
        },
        errno: () => ERRNO.EAGAIN,
      };
      const counters = createDnsCounters(cells);
      new PacketBatch(full, { respond: echo, counters }).turn(thread.sockets[0] as never);
      expect({ calls, lost: drops(cells, "send-error") }).toEqual({ calls: 1, lost: 5 });
    });

    it("to take more than one of them, it is asked again for the rest", async () => {
      const oneByOne: Libc = {
        ...libc,
        sendmmsg: (fd, headers, _count, flags) => libc.sendmmsg(fd, headers, 1, flags),
      };
      expect(await answered(oneByOne, 4)).toEqual({ messages: [0, 1, 2, 3, 99], lost: 0 });
    });

    it("to hand packets over, that is counted and gone over", () => {
      const { thread } = open();
      const cells = new Float64Array(counterCells());
      const refusing = (errno: number): PacketBatch =>
        new PacketBatch(
          { ...libc, recvmmsg: () => -1, errno: () => errno },
          { respond: echo, counters: createDnsCounters(cells) },
        );
      expect(refusing(111).turn(thread.sockets[0] as never)).toBe(0);
      expect(drops(cells, "receive-error")).toBe(1);
      expect(refusing(ERRNO.EAGAIN).turn(thread.sockets[0] as never)).toBe(0);
      expect(drops(cells, "receive-error")).toBe(1);
      expect(() => refusing(ERRNO.EBADF).turn(thread.sockets[0] as never)).toThrow("errno 9");
    });
  });
});

function drops(cells: Float64Array, reason: string): number {
  const family = dnsMetrics([cells]).find(({ name }) => name === "dns_dropped_total");
  const samples = family?.kind === "counter" ? family.samples : [];
  return samples.find(({ labels }) => labels["reason"] === reason)?.value ?? Number.NaN;
}

/** Addresses of this machine beside loopback, of both families where there are any; never link-local. */
function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all
    .filter(({ address }) => !address.startsWith("fe80") && address !== "127.0.0.1")
    .map(({ address }) => address);
}

interface Client {
  readonly messages: Buffer[];
  readonly sources: string[];
  readonly send: (packet: Buffer, port: number, host: string) => Promise<void>;
  readonly received: (count: number) => Promise<void>;
  readonly receivedOne: (is: (message: Buffer) => boolean) => Promise<void>;
}

async function openClient(type: "udp4" | "udp6" = "udp4"): Promise<Client> {
  const socket = createSocket({ type, recvBufferSize: 1 << 20 });
  onTestFinished(() => void socket.close());
  const messages: Buffer[] = [];
  const sources: string[] = [];
  let look = (): void => {};
  socket.on("message", (message, { address }) => {
    messages.push(message);
    sources.push(address);
    look();
  });
  await new Promise<void>((resolve) => {
    socket.bind(0, resolve);
  });
  const until = (holds: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      look = () => {
        if (holds()) resolve();
      };
      look();
    });
  return {
    messages,
    sources,
    send: (packet, port, host) =>
      new Promise((resolve, reject) => {
        socket.send(packet, port, host, (error) => (error === null ? resolve() : reject(error)));
      }),
    received: (count) => until(() => messages.length >= count),
    receivedOne: (is) => until(() => messages.some(is)),
  };
}
