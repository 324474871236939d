import { loadLibc } from "../../src/base/libc.ts";

/** What systemd has: an abstract datagram socket that keeps what it is told (unix(7)). */
export interface NotifySocket {
  /** For NOTIFY_SOCKET. */
  readonly name: string;
  /** What has come since the last call. */
  received(): string[];
  close(): void;
}

export const LIBC = loadLibc();

export function openNotifySocket(): NotifySocket {
  if (LIBC.kind === "unavailable") throw new Error(LIBC.reason);
  const { libc } = LIBC;
  const name = `@edgeward-test-${process.pid}-${Math.random().toString(36).slice(2)}`;
  const path = new TextEncoder().encode(name);
  path[0] = 0;
  const address = Uint8Array.of(AF_UNIX, 0, ...path);
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM, 0);
  if (fd < 0 || libc.bind(fd, address, address.length) < 0) throw new Error(`errno ${libc.errno()}`);
  const octets = new Uint8Array(4096);
  return {
    name,
    received() {
      const messages: string[] = [];
      for (;;) {
        const length = libc.recv(fd, octets, octets.length, MSG_DONTWAIT);
        if (length < 0) return messages;
        messages.push(new TextDecoder().decode(octets.subarray(0, length)));
      }
    },
    close: () => void libc.close(fd),
  };
}

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;
