import { connect, type Socket } from "node:net";
import { connectCommand } from "../../src/probe/rtmp-command.ts";

/** A viewer by RTMP that throws away what it gets. */
export function playRtmp(host: string, port: number, application: string, stream: string): Socket {
  const socket = connect({ host, port });
  socket.on("error", () => {});
  const c1 = Buffer.alloc(1536, 7);
  c1.fill(0, 0, 8);
  socket.write(Buffer.concat([Buffer.of(3), c1]));
  let answered = 0;
  let isPlaying = false;
  socket.on("data", (chunk) => {
    answered += chunk.length;
    if (isPlaying || answered < 3073) return;
    isPlaying = true;
    const url = `rtmp://${host}:${port}/${application}`;
    // nginx-rtmp takes them in order, and its first stream has the number 1.
    socket.write(Buffer.concat([c1, connectCommand(application, url), createStream(), play(stream)]));
  });
  return socket;
}

function createStream(): Buffer {
  return command(0, Buffer.concat([amf("createStream"), amf(2), Buffer.of(5)]));
}

function play(stream: string): Buffer {
  return command(1, Buffer.concat([amf("play"), amf(0), Buffer.of(5), amf(stream)]));
}

/** One chunk of type 0 (RTMP 1.0, 5.3.1.2.1); short enough not to be cut. */
function command(messageStream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head[0] = 3;
  head.writeUIntBE(payload.length, 4, 3);
  head[7] = 20;
  head.writeUInt32LE(messageStream, 8);
  return Buffer.concat([head, payload]);
}

function amf(value: string | number): Buffer {
  if (typeof value === "number") {
    const number = Buffer.alloc(9);
    number.writeDoubleBE(value, 1);
    return number;
  }
  const text = Buffer.from(value);
  return Buffer.concat([Buffer.of(2, text.length >> 8, text.length & 255), text]);
}
