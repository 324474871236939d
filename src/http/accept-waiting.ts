import type { Server } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";

/**
 * Accepts who has connected and not been accepted yet, before a listening socket is closed: the kernel would reset
 * them.
 * @param mostMs for so long, however many keep coming
 */
export async function acceptWaiting(server: Server, mostMs: number): Promise<void> {
  const untilMs = performance.now() + mostMs;
  let accepted = false;
  const note = (): void => {
    accepted = true;
  };
  server.on("connection", note);
  do {
    // A turn of the event loop accepts one connection, and this one may have looked at its sockets already.
    accepted = false;
    await nextTurn();
    await nextTurn();
  } while (accepted && performance.now() < untilMs);
  server.off("connection", note);
}
