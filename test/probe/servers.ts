import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions, type TLSSocket } from "node:tls";
import { onTestFinished } from "vitest";

export interface TestServer {
  readonly port: number;
  /** Open now. */
  readonly open: Set<Socket>;
  /** Of every connection so far. */
  readonly stats: { connections: number; mostAtOnce: number };
}

/** A TCP server with one behaviour per connection; it ends with the test. */
export async function serveTcp(behave: (socket: Socket) => void, host = "127.0.0.1"): Promise<TestServer> {
  return listening(createServer(), "connection", behave, host);
}

/** The same behind TLS. */
export async function serveTls(
  options: TlsOptions,
  behave: (socket: TLSSocket) => void,
): Promise<TestServer> {
  return listening(createTlsServer(options), "secureConnection", behave, "127.0.0.1");
}

/** Answers each request head with these octets, then leaves the connection alone. */
export function answering(reply: string): (socket: Socket) => void {
  return (socket) => socket.once("data", () => socket.write(reply));
}

/** Reads all, says nothing. */
export const silent = (socket: Socket): void => void socket.resume();

export const HTTP_OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** A port of 127.0.0.1 where nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function listening<S extends Socket>(
  server: Server,
  event: string,
  behave: (socket: S) => void,
  host: string,
): Promise<TestServer> {
  const open = new Set<Socket>();
  const stats = { connections: 0, mostAtOnce: 0 };
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    stats.connections++;
    stats.mostAtOnce = Math.max(stats.mostAtOnce, open.size);
    socket.on("error", () => {});
    socket.on("close", () => open.delete(socket));
  });
  server.on(event, (socket: S) => {
    socket.on("error", () => {});
    behave(socket);
  });
  server.listen(0, host, 4096);
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, open, stats };
}
