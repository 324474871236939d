import { constants, type ServerHttp2Session } from "node:http2";
import type { HttpLimits } from "./limits.ts";

/**
 * Ends a connection that asks nothing, and streams whose answer is not taken. By themselves a half of a header, and an
 * answer for which the client's window has no room, stay for ever.
 */
export function limitSession(session: ServerHttp2Session, limits: HttpLimits): void {
  let streams = 0;
  const end = (): void => {
    session.close();
    timer = setTimeout(() => session.destroy(), limits.lingerMs);
  };
  let timer = setTimeout(end, limits.headersTimeoutMs);
  session.on("stream", (stream) => {
    clearTimeout(timer);
    streams++;
    const late = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), limits.silenceTimeoutMs);
    stream.once("close", () => {
      clearTimeout(late);
      streams--;
      if (streams === 0 && !session.destroyed) timer = setTimeout(end, limits.keepAliveTimeoutMs);
    });
  });
  session.once("close", () => clearTimeout(timer));
}
