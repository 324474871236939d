import { createSocket } from "node:dgram";
import { randomInt } from "node:crypto";
import dns2 from "dns2";
import { formatAddress } from "../base/address.ts";
import type { Address } from "../model/address.ts";
import type { DnsProbe, DnsRecordType, DnsResponseCode } from "../model/edge.ts";
import { type Attempt, attempt, type ProbeContext } from "./attempt.ts";
import { octetsOf } from "./octets.ts";
import { ProbeError, type ProbeResult } from "./result.ts";
import { openTcp } from "./socket.ts";

const { Packet } = dns2;

/**
 * Success: the edge answers with the expected response code and, where one is asked for, a record of the
 * asked type. Messages are written and read by dns2; its clients cannot be cancelled, keep a silent TCP
 * connection for ever, and take no IPv6 address over TCP, so the sockets are ours.
 */
export function probeDns(address: Address, probe: DnsProbe, context: ProbeContext): Promise<ProbeResult> {
  return attempt(probe.timeoutMs, context, async (attempt) => {
    const id = randomInt(0x10000);
    const query = queryFor(probe, id);
    const isReply = (message: Buffer): boolean => idOf(message) === id;
    const reply =
      probe.transport === "udp"
        ? await attempt.step("reply", () => askOverUdp(attempt, address, probe.port, query, isReply))
        : await askOverTcp(attempt, address, probe.port, query, isReply);
    expectAnswer(reply, probe);
  });
}

function queryFor({ name, record }: DnsProbe, id: number): Buffer {
  const packet = new Packet();
  packet.header.id = id;
  packet.header.rd = 1;
  packet.questions.push(new Packet.Question(name, TYPES[record], Packet.CLASS.IN));
  return packet.toBuffer();
}

/** The first two octets of a message that is a response; else a number that no query has. */
function idOf(message: Buffer): number {
  return message.length >= 12 && ((message[2] as number) & 0x80) !== 0 ? message.readUInt16BE(0) : -1;
}

/** A connected socket hears of a closed port at once, and takes messages from that address and port alone. */
function askOverUdp(
  attempt: Attempt,
  address: Address,
  port: number,
  query: Buffer,
  isReply: (message: Buffer) => boolean,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(address.family === 4 ? "udp4" : "udp6");
    attempt.atEnd(() => socket.close());
    socket.on("error", reject);
    socket.on("message", (message) => {
      if (isReply(message)) resolve(message);
    });
    // Without a callback, since that would be told of failures too, as of a network that cannot be reached.
    socket.once("connect", () => socket.send(query));
    socket.connect(port, formatAddress(address));
  });
}

async function askOverTcp(
  attempt: Attempt,
  address: Address,
  port: number,
  query: Buffer,
  isReply: (message: Buffer) => boolean,
): Promise<Buffer> {
  const socket = await openTcp(attempt, address, port);
  const octets = octetsOf(socket);
  return attempt.step("reply", async () => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(query.length);
    socket.write(Buffer.concat([length, query]));
    const message = await octets.take((await octets.take(2)).readUInt16BE());
    if (!isReply(message)) throw new ProbeError("protocol", "not-dns");
    return message;
  });
}

function expectAnswer(message: Buffer, { record, rcode, answer }: DnsProbe): void {
  const { header, answers } = parse(message);
  if (header.rcode !== CODES[rcode]) throw new ProbeError("answer", nameOf(header.rcode));
  // RFC 2181 9: what is missing is missing because of the size, and the answer is there over TCP.
  if (!answer || header.tc === 1) return;
  if (!answers.some(({ type }) => type === TYPES[record])) throw new ProbeError("answer", "no-record");
}

function parse(message: Buffer): InstanceType<typeof Packet> {
  try {
    return Packet.parse(message);
  } catch {
    throw new ProbeError("protocol", "not-dns");
  }
}

function nameOf(rcode: number): string {
  return Object.entries(CODES).find(([, code]) => code === rcode)?.[0] ?? `RCODE${rcode}`;
}

const TYPES: { readonly [type in DnsRecordType]: number } = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  SVCB: 64,
  HTTPS: 65,
  CAA: 257,
};

const CODES: { readonly [code in DnsResponseCode]: number } = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
};
