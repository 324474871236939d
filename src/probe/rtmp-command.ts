import type { Octets } from "./octets.ts";
import { ProbeError } from "./result.ts";

/** As much of RTMP's chunk stream (RTMP 1.0, 5.3) and of AMF0 as a `connect` and its answer need. */

const SET_CHUNK_SIZE = 1;
const COMMAND_AMF3 = 17;
const COMMAND_AMF0 = 20;
const COMMAND_CHUNK_STREAM = 3;
const FIRST_CHUNK_OCTETS = 128;
const MESSAGE_LIMIT = 64 * 1024;
/** Servers use a handful; each may hold a message in the making. */
const CHUNK_STREAMS_MAX = 16;
const EXTENDED = 0xffffff;
/** Octets of the message header for each chunk type. */
const HEADER_OCTETS = [11, 7, 3, 0];

/** The `connect` command as a message of its own, cut into chunks. */
export function connectCommand(application: string, url: string): Buffer {
  const payload = Buffer.concat([
    amfString("connect"),
    amfNumber(1),
    Buffer.of(0x03),
    property("app", amfString(application)),
    property("tcUrl", amfString(url)),
    property("flashVer", amfString("edgeward")),
    Buffer.of(0, 0, 0x09),
  ]);
  const head = Buffer.alloc(12);
  head[0] = COMMAND_CHUNK_STREAM;
  head.writeUIntBE(payload.length, 4, 3);
  head[7] = COMMAND_AMF0;
  return Buffer.concat([head, ...chunksOf(payload)]);
}

/** The name of the first command that answers transaction 1, among so many messages. */
export async function readCommand(octets: Octets, messagesLimit: number): Promise<string> {
  const messages = messagesOf(octets);
  for (let i = 0; i < messagesLimit; i++) {
    const { type, payload } = await messages.next();
    const isCommand = type === COMMAND_AMF0 || type === COMMAND_AMF3;
    const command = isCommand ? commandIn(type === COMMAND_AMF3 ? payload.subarray(1) : payload) : undefined;
    if (command?.transaction === 1) return command.name;
  }
  throw new ProbeError("protocol", "not-rtmp");
}

function chunksOf(payload: Buffer): Buffer[] {
  const chunks: Buffer[] = [payload.subarray(0, FIRST_CHUNK_OCTETS)];
  for (let at = FIRST_CHUNK_OCTETS; at < payload.length; at += FIRST_CHUNK_OCTETS) {
    chunks.push(Buffer.of(0xc0 | COMMAND_CHUNK_STREAM), payload.subarray(at, at + FIRST_CHUNK_OCTETS));
  }
  return chunks;
}

function amfString(text: string): Buffer {
  return Buffer.concat([Buffer.of(0x02), shortString(text)]);
}

function amfNumber(value: number): Buffer {
  const buffer = Buffer.alloc(9);
  buffer.writeDoubleBE(value, 1);
  return buffer;
}

function property(name: string, value: Buffer): Buffer {
  return Buffer.concat([shortString(name), value]);
}

function shortString(text: string): Buffer {
  const octets = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(octets.length);
  return Buffer.concat([length, octets]);
}

interface Message {
  readonly type: number;
  readonly payload: Buffer;
}

/** A message in the making, and what the next header of its chunk stream may leave out. */
interface ChunkStream {
  type: number;
  length: number;
  isExtended: boolean;
  parts: Buffer[];
  missing: number;
}

function messagesOf(octets: Octets): { next(): Promise<Message> } {
  const streams = new Map<number, ChunkStream>();
  let chunkOctets = FIRST_CHUNK_OCTETS;

  const chunk = async (): Promise<Message | undefined> => {
    const { format, id } = await readBasicHeader(octets);
    const stream = streams.get(id) ?? { type: 0, length: 0, isExtended: false, parts: [], missing: 0 };
    streams.set(id, stream);
    if (streams.size > CHUNK_STREAMS_MAX) throw new ProbeError("protocol", "not-rtmp");
    await readMessageHeader(octets, format, stream);
    const part = await octets.take(Math.min(stream.missing, chunkOctets));
    stream.parts.push(part);
    stream.missing -= part.length;
    if (stream.missing > 0) return undefined;
    const payload = Buffer.concat(stream.parts);
    stream.parts = [];
    return { type: stream.type, payload };
  };

  return {
    async next() {
      for (;;) {
        const message = await chunk();
        if (message === undefined) continue;
        if (message.type !== SET_CHUNK_SIZE) return message;
        if (message.payload.length < 4) throw new ProbeError("protocol", "not-rtmp");
        chunkOctets = Math.max(1, message.payload.readUInt32BE(0) & 0x7fff_ffff);
      }
    },
  };
}

async function readBasicHeader(octets: Octets): Promise<{ format: number; id: number }> {
  const [first = 0] = await octets.take(1);
  const short = first & 0x3f;
  const format = first >> 6;
  if (short > 1) return { format, id: short };
  const [low = 0, high = 0] = await octets.take(short + 1);
  return { format, id: 64 + low + high * 256 };
}

/** A header in the middle of a message repeats nothing; one of type 3 between two messages repeats all. */
async function readMessageHeader(octets: Octets, format: number, stream: ChunkStream): Promise<void> {
  const head = await octets.take(HEADER_OCTETS[format] as number);
  if (head.length >= 3) stream.isExtended = head.readUIntBE(0, 3) === EXTENDED;
  if (head.length >= 7) {
    stream.length = head.readUIntBE(3, 3);
    stream.type = head[6] as number;
  }
  if (stream.length === 0 || stream.length > MESSAGE_LIMIT) throw new ProbeError("protocol", "not-rtmp");
  if (stream.isExtended) await octets.take(4);
  if (stream.parts.length > 0 && format !== 3) throw new ProbeError("protocol", "not-rtmp");
  if (stream.parts.length === 0) stream.missing = stream.length;
}

/** An AMF0 string, and an AMF0 number behind it. */
function commandIn(payload: Buffer): { name: string; transaction: number } | undefined {
  if (payload.length < 3 || payload[0] !== 0x02) return undefined;
  const end = 3 + payload.readUInt16BE(1);
  if (payload.length < end + 9 || payload[end] !== 0x00) return undefined;
  return { name: payload.toString("utf8", 3, end), transaction: payload.readDoubleBE(end + 1) };
}
