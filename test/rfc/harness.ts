import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, type Socket } from "node:net";
import { type AnswererOptions, createAnswerer } from "../../src/dns/answerer.ts";
import { createConnections } from "../../src/dns/connections.ts";
import { counterCells, type Transport } from "../../src/dns/counters.ts";
import { secretsByDay } from "../../src/dns/cookie.ts";
import { type DnsDoor, type DnsDoorOptions, startDnsDoor } from "../../src/dns/door.ts";
import type { DnsSettings } from "../../src/model/dns-settings.ts";
import type { Endpoint } from "../../src/model/inventory.ts";
import { decode, type Reply } from "../dns/answers.ts";
import { type Batched, LIBC, listenByEpoll, listenInBatches } from "../dns/batched.ts";
import { decide, SERVICES, ZONES } from "../dns/fixture.ts";
import { query, type QueryParts } from "../dns/packets.ts";

/** A transport and an address family. */
export interface Way {
  readonly transport: Transport;
  readonly host: "127.0.0.1" | "::1";
  /** Through the C library: UDP in batches, TCP by epoll. */
  readonly isBatched?: true;
}

export const UDP4: Way = { transport: "udp", host: "127.0.0.1" };
export const UDP6: Way = { transport: "udp", host: "::1" };
export const TCP4: Way = { transport: "tcp", host: "127.0.0.1" };
export const TCP6: Way = { transport: "tcp", host: "::1" };

/** Where there are batched sockets. */
const BATCHED_WAYS: readonly (readonly [string, Way])[] =
  LIBC.kind === "unavailable"
    ? []
    : [
        ["UDP over IPv4 in batches", { ...UDP4, isBatched: true }],
        ["UDP over IPv6 in batches", { ...UDP6, isBatched: true }],
        ["TCP over IPv4 by epoll", { ...TCP4, isBatched: true }],
        ["TCP over IPv6 by epoll", { ...TCP6, isBatched: true }],
      ];

/** For `describe.each`, named by how it is travelled. */
export const WAYS: readonly (readonly [string, Way])[] = [
  ["UDP over IPv4", UDP4],
  ["UDP over IPv6", UDP6],
  ["TCP over IPv4", TCP4],
  ["TCP over IPv6", TCP6],
  ...BATCHED_WAYS,
];

export interface Harness {
  readonly door: DnsDoor;
  readonly port: (way: Way) => number;
  /** One query and its reply. */
  readonly ask: (way: Way, packet: Buffer | QueryParts) => Promise<Reply>;
  /** What comes back to the packet: undefined if an ordinary query sent right after it is answered first. */
  readonly send: (way: Way, packet: Buffer) => Promise<Reply | undefined>;
  readonly stop: () => Promise<void>;
}

export const QUIET = { info() {}, warn() {}, error() {} };

const ENDPOINTS: readonly Endpoint[] = [
  { host: "127.0.0.1", port: 0 },
  { host: "::1", port: 0 },
];

/** @param dns settings, with the usual names; or other names as `served` */
export async function startHarness({
  dns = {},
  ...options
}: Partial<DnsDoorOptions> & { readonly dns?: DnsSettings } = {}): Promise<Harness> {
  const doorOptions = {
    endpoints: ENDPOINTS,
    served: { zones: ZONES, services: SERVICES, dns },
    decide,
    log: QUIET,
    cookieSecrets: secretsByDay(randomBytes(16)),
    cells: new Float64Array(counterCells()),
    ...options,
  };
  const door = await startDnsDoor(doorOptions);
  const batched = LIBC.kind === "loaded" ? startBatched(doorOptions) : undefined;
  const port = ({ host, isBatched, transport }: Way): number => {
    const endpoints = isBatched === true ? (batched?.[transport].endpoints ?? []) : door.endpoints;
    return endpoints.find((endpoint) => endpoint.host === host)?.port ?? 0;
  };
  const send: Harness["send"] = async (way, packet) => {
    const probe = query({ id: 0xbeef, name: "static.cdn.example.net" });
    const octets =
      way.transport === "udp"
        ? await firstDatagram(way.host, port(way), [packet, probe])
        : await firstMessage(way.host, port(way), [packet, probe]);
    const reply = octets === undefined ? undefined : decode(octets);
    return reply?.id === 0xbeef ? undefined : reply;
  };
  return {
    door,
    port,
    send,
    async ask(way, packet) {
      const reply = await send(way, Buffer.isBuffer(packet) ? packet : query(packet));
      if (reply === undefined) throw new Error("no reply");
      return reply;
    },
    stop: async () => {
      batched?.udp.stop();
      batched?.tcp.stop();
      await door.stop();
    },
  };
}

/** The same answers, counted together with the door's. */
function startBatched(options: AnswererOptions): Record<Transport, Batched> {
  const { responder, counters } = createAnswerer(options);
  const { respond } = responder;
  const connections = createConnections(options.served.dns?.tcp);
  return {
    udp: listenInBatches(ENDPOINTS, {
      respond: (packet, length, source, out) => respond(packet.octets, length, source, "udp", out.octets),
      counters,
    }),
    tcp: listenByEpoll(ENDPOINTS, { respond, connections, counters, onShortage() {} }),
  };
}

/** Sends all from one socket; the first that comes back. */
export function firstDatagram(
  host: string,
  port: number,
  packets: readonly Buffer[],
  from?: string,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    const timer = setTimeout(() => {
      socket.close();
      reject(new Error("no datagram within 5 s"));
    }, 5000);
    socket.on("message", (message) => {
      clearTimeout(timer);
      socket.close();
      resolve(message);
    });
    socket.on("error", reject);
    socket.bind(0, from, () => {
      for (const packet of packets) socket.send(packet, port, host);
    });
  });
}

/** Sends all on one connection; the first message that comes back, undefined if the connection is closed without. */
async function firstMessage(
  host: string,
  port: number,
  messages: readonly Buffer[],
): Promise<Buffer | undefined> {
  const client = await connectTcp(host, port);
  client.socket.write(Buffer.concat(messages.map(frame)));
  const message = await client.next();
  client.socket.destroy();
  return message;
}

export interface TcpClient {
  readonly socket: Socket;
  /** The next message; undefined once the other side has closed. */
  next(): Promise<Buffer | undefined>;
}

export async function connectTcp(host: string, port: number): Promise<TcpClient> {
  const socket = connect({ host, port, allowHalfOpen: true });
  let received = Buffer.alloc(0);
  let isClosed = false;
  let wake = (): void => {};
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    wake();
  });
  for (const event of ["end", "close", "error"]) {
    socket.on(event, () => {
      isClosed = true;
      wake();
    });
  }
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return {
    socket,
    async next() {
      for (;;) {
        const length = received.length < 2 ? Number.POSITIVE_INFINITY : received.readUInt16BE(0);
        if (received.length >= 2 + length) {
          const message = received.subarray(2, 2 + length);
          received = received.subarray(2 + length);
          return message;
        }
        if (isClosed) return undefined;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

export function frame(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
