import { constants, type ServerHttp2Session } from "node:http2";
import type { HttpLimits } from "./limits.ts";

/**
 * Ends a connection that asks nothing, or asks and asks and takes no answers, and streams whose answer is not taken. By
 * themselves a half of a header, and an answer for which the client's window has no room, stay for ever.
 */
export function limitSession(session: ServerHttp2Session, limits: HttpLimits): void {
  let open = 0;
  let untaken = 0;
  const end = (): void => {
    session.close();
    timer = setTimeout(() => session.destroy(), limits.lingerMs);
  };
  let timer = setTimeout(end, limits.headersTimeoutMs);
  session.on("stream", (stream) => {
    clearTimeout(timer);
    open++;
    untaken++;
    if (untaken > UNTAKEN_MAX) session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    const late = setTimeout(() => {
      stream.close(constants.NGHTTP2_CANCEL);
      stream.destroy(); // one that the client has reset without an error is still there
    }, limits.silenceTimeoutMs);
    stream.once("close", () => {
      clearTimeout(late);
      open--;
      const isTaken = stream.writableFinished && stream.rstCode === constants.NGHTTP2_NO_ERROR;
      if (isTaken) untaken = Math.max(open, untaken - 2);
      if (open === 0 && !session.destroyed) timer = setTimeout(end, limits.keepAliveTimeoutMs);
    });
  });
  session.once("close", () => clearTimeout(timer));
}

/**
 * Twice as many as may be open at a time. One that is taken makes up for one that was not: players that seek reset
 * some. nghttp2 by itself bears 1,000 resets of a connection, and each costs as much as an answer.
 */
const UNTAKEN_MAX = 200;
