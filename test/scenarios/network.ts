import { createSocket } from "node:dgram";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Loopback addresses that no other test file uses. */
export interface Network {
  /** Where the service listens. */
  readonly host: string;
  /** The n-th edge's address, from 1. */
  edge(n: number): string;
}

export function takeNetwork(): Network {
  const [a, b] = [30 + Math.floor(Math.random() * 200), Math.floor(Math.random() * 250)];
  return { host: `127.${a}.${b}.1`, edge: (n) => `127.${a}.${b}.${10 + n}` };
}

const handedOut = new Set<string>();

/** A port that is free for UDP and TCP, and was not handed out before. */
export async function freePort(host: string): Promise<number> {
  for (;;) {
    const server = createTcpServer();
    const port = await new Promise<number>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, host, () => resolve((server.address() as { port: number }).port));
    });
    const socket = createSocket("udp4");
    const isFree = await new Promise<boolean>((resolve) => {
      socket.once("error", () => resolve(false));
      socket.bind(port, host, () => resolve(true));
    });
    socket.close();
    await new Promise((resolve) => server.close(resolve));
    const endpoint = `${host}:${port}`;
    if (!isFree || handedOut.has(endpoint)) continue;
    handedOut.add(endpoint);
    return port;
  }
}

/** A folder for configuration and state, removed by the returned function. */
export function takeFolder(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "edgeward-scenario-"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
