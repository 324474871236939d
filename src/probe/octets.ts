import type { Socket } from "node:net";
import { ProbeError } from "./result.ts";

/** Takes octets off a socket as they are needed, however they were cut into packets. */
export interface Octets {
  /** Exactly so many; rejects with `reset` where the connection ends before. */
  take(length: number): Promise<Buffer>;
  /** Everything up to and with the delimiter; rejects with `protocol` where it is not among the first `limit`. */
  takeThrough(delimiter: string, limit: number): Promise<Buffer>;
}

/** Reads no more than it is asked for, so that a flood stays in the kernel's buffers. */
export function octetsOf(socket: Socket): Octets {
  let unread: Buffer = Buffer.alloc(0);
  let ended: unknown;
  let wake: (() => void) | undefined;
  socket.on("readable", () => wake?.());
  socket.on("end", () => end(new ProbeError("reset")));
  socket.on("close", () => end(new ProbeError("reset")));
  socket.on("error", end);
  function end(why: unknown): void {
    ended ??= why;
    wake?.();
  }

  const more = async (): Promise<void> => {
    for (;;) {
      const chunk: Buffer | null = socket.read();
      if (chunk !== null) {
        unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk]);
        return;
      }
      if (ended !== undefined) throw ended;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const shift = (length: number): Buffer => {
    const taken = unread.subarray(0, length);
    unread = unread.subarray(length);
    return taken;
  };

  return {
    async take(length) {
      while (unread.length < length) await more();
      return shift(length);
    },
    async takeThrough(delimiter, limit) {
      for (;;) {
        const at = unread.subarray(0, limit).indexOf(delimiter);
        if (at >= 0) return shift(at + delimiter.length);
        if (unread.length >= limit) throw new ProbeError("protocol", "too-long");
        await more();
      }
    },
  };
}
