import { createSocket, type Socket } from "node:dgram";
import { connect } from "node:net";
import { type Answer, type DecodedPacket, decode, encode, type RecordType } from "dns-packet";

/** A stub resolver that may have thousands of queries in flight. */
export interface DnsClient {
  /** Rejects when no reply has come within the timeout. */
  ask(name: string, options?: AskOptions): Promise<Reply>;
  /** Sends octets as they are; undefined when nothing comes back within the timeout. */
  send(packet: Uint8Array, timeoutMs?: number): Promise<Buffer | undefined>;
  close(): void;
}

export interface AskOptions {
  readonly type?: RecordType;
  /** As `203.0.113.0/24`, sent as client subnet (RFC 7871). */
  readonly subnet?: string;
  readonly timeoutMs?: number;
}

/** What a test looks at in a reply. */
export interface Reply {
  readonly rcode: number;
  readonly truncated: boolean;
  readonly answers: readonly Answer[];
  /** Data of the address records, in order. */
  readonly addresses: readonly string[];
  /** Of the first address record. */
  readonly ttlSeconds: number | undefined;
  /** Of the client subnet, where one was sent. */
  readonly scopePrefixLength: number | undefined;
}

const DEFAULT_TIMEOUT_MS = 4000;

export function createDnsClient(server: { host: string; port: number }): Promise<DnsClient> {
  const socket = createSocket("udp4");
  const waiting = new Map<number, (packet: Buffer) => void>();
  let nextId = 0;
  socket.on("message", (packet) => waiting.get(packet.readUInt16BE(0))?.(packet));
  // A port that nobody listens on shows as a time-out.
  socket.on("error", () => {});

  const exchange = (packet: Uint8Array, timeoutMs: number): Promise<Buffer | undefined> =>
    new Promise((resolve) => {
      const id = ((packet[0] ?? 0) << 8) | (packet[1] ?? 0);
      const done = (reply: Buffer | undefined): void => {
        clearTimeout(timer);
        waiting.delete(id);
        resolve(reply);
      };
      const timer = setTimeout(() => done(undefined), timeoutMs);
      waiting.set(id, done);
      socket.send(packet, () => {});
    });

  const client: DnsClient = {
    async ask(name, { type = "A", subnet, timeoutMs = DEFAULT_TIMEOUT_MS } = {}) {
      nextId = (nextId + 1) & 0xffff;
      const reply = await exchange(queryPacket(nextId, name, type, subnet), timeoutMs);
      if (reply === undefined) throw new Error(`no reply for ${name} ${type} within ${timeoutMs} ms`);
      return readReply(reply);
    },
    send: (packet, timeoutMs = 500) => exchange(packet, timeoutMs),
    close: () => closeQuietly(socket),
  };
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.connect(server.port, server.host, () => {
      socket.off("error", reject);
      socket.setRecvBufferSize(4 << 20);
      resolve(client);
    });
  });
}

export function queryPacket(id: number, name: string, type: RecordType = "A", subnet?: string): Buffer {
  const [ip, length] = subnet?.split("/") ?? [];
  const option = { code: 8, ip, sourcePrefixLength: Number(length), scopePrefixLength: 0 } as const;
  return encode({
    type: "query",
    id,
    questions: [{ name, type }],
    additionals: [
      {
        type: "OPT",
        name: ".",
        udpPayloadSize: 1232,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: subnet === undefined ? [] : [option],
      },
    ],
  });
}

export function readReply(packet: Buffer): Reply {
  const decoded: DecodedPacket = decode(packet);
  const { answers = [], additionals = [], flag_tc: truncated } = decoded;
  const opt = additionals.find((record) => record.type === "OPT");
  const subnet = opt?.options.find((option) => option.code === 8);
  const addresses = answers.flatMap((record) =>
    record.type === "A" || record.type === "AAAA" ? [record] : [],
  );
  return {
    rcode: ((opt?.extendedRcode ?? 0) << 4) | (packet.readUInt8(3) & 0x0f),
    truncated,
    answers,
    addresses: addresses.map(({ data }) => data),
    ttlSeconds: addresses[0]?.ttl,
    scopePrefixLength: subnet === undefined ? undefined : (subnet.scopePrefixLength ?? 0),
  };
}

/** Sends octets over TCP and reads until the server closes, or for so long. */
export function tcpExchange(
  server: { host: string; port: number },
  octets: Uint8Array,
  { end = true, timeoutMs = 1000 }: { end?: boolean; timeoutMs?: number } = {},
): Promise<Buffer> {
  return new Promise((resolve) => {
    const received: Buffer[] = [];
    const socket = connect(server.port, server.host, () => (end ? socket.end(octets) : socket.write(octets)));
    const timer = setTimeout(() => socket.destroy(), timeoutMs);
    socket.on("data", (chunk) => received.push(chunk));
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(Buffer.concat(received));
    });
  });
}

function closeQuietly(socket: Socket): void {
  try {
    socket.close();
  } catch {
    // Closed already.
  }
}
