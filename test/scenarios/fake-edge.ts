import { createServer, type RequestListener, type Server } from "node:http";
import { freePort } from "./network.ts";

/** An edge server in this process, that can be killed and brought back. */
export interface FakeEdge {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  start(): Promise<void>;
  /** Closes the listener and every connection. */
  kill(): Promise<void>;
}

const healthy: RequestListener = (_request, response) => void response.end("ok\n");

export async function startEdge(
  host: string,
  answer: RequestListener = healthy,
  atPort?: number,
): Promise<FakeEdge> {
  const port = atPort ?? (await freePort(host));
  let server: Server | undefined;
  const start = (): Promise<void> =>
    new Promise((resolve, reject) => {
      server = createServer(answer);
      server.once("error", reject);
      server.listen(port, host, resolve);
    });
  const kill = (): Promise<void> =>
    new Promise((resolve) => {
      if (server === undefined) return resolve();
      server.close(() => resolve());
      server.closeAllConnections();
      server = undefined;
    });
  await start();
  return { host, port, url: `http://${host}:${port}`, start, kill };
}
