import { ERRNO, type Libc } from "../base/libc.ts";
import { MSG_DONTWAIT, MSG_NOSIGNAL } from "../base/socket-address.ts";

/** Answers to one connection, gathered for one call. */
export interface Output {
  /** @param isAscii whether no character is beyond ASCII */
  add(fd: number, text: string, isAscii: boolean): void;
  /** What the client does not take now: empty if it took all; `undefined` if it is gone. */
  flush(fd: number): Uint8Array | undefined;
}

export function createOutput(libc: Pick<Libc, "send" | "errno">): Output {
  const room = Buffer.allocUnsafeSlow(ROOM_OCTETS);
  let length = 0;
  let unsent: Uint8Array = NOTHING;
  let isGone = false;

  /** The first `count` of the octets. */
  const send = (fd: number, octets: Uint8Array, count: number): void => {
    if (isGone || count === 0) return;
    if (unsent.length > 0) {
      unsent = new Uint8Array(Buffer.concat([unsent, octets.subarray(0, count)]));
      return;
    }
    const sent = libc.send(fd, octets, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent === count) return;
    if (sent < 0 && libc.errno() !== ERRNO.EAGAIN && libc.errno() !== ERRNO.EINTR) isGone = true;
    else unsent = new Uint8Array(octets.subarray(Math.max(0, sent), count));
  };

  const sendRoom = (fd: number): void => {
    send(fd, room, length);
    length = 0;
  };

  return {
    add(fd, text, isAscii) {
      const most = isAscii ? text.length : text.length * 3;
      if (length + most > ROOM_OCTETS) sendRoom(fd);
      if (most > ROOM_OCTETS) send(fd, Buffer.from(text), Buffer.byteLength(text));
      else length += isAscii ? room.latin1Write(text, length) : room.write(text, length, "utf8");
    },
    flush(fd) {
      sendRoom(fd);
      const left = isGone ? undefined : unsent;
      unsent = NOTHING;
      isGone = false;
      return left;
    },
  };
}

const ROOM_OCTETS = 256 * 1024;
const NOTHING = new Uint8Array();

declare global {
  // Of Node, whose types leave it out.
  interface Buffer {
    latin1Write(text: string, offset: number): number;
  }
}
