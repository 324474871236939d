import type { Server } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";

/**
 * Accepts who has connected and not been accepted yet, before a listening socket is closed: the kernel would reset
 * them. However many keep coming, for no longer than a third of the grace, in which handshakes of those who came before
 * are done, too.
 * @param graceMs how long those are waited for whose requests are still arriving
 */
export async function acceptWaiting(server: Server, graceMs: number): Promise<void> {
  const untilMs = performance.now() + graceMs / 3;
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
