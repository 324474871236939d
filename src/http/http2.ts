import { constants, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { peerOf } from "../base/peer.ts";
import { headersOf } from "./answer.ts";
import { collect, withBody } from "./collect.ts";
import type { Counts } from "./counts.ts";
import { fromHttp2 } from "./http2-request.ts";
import type { ProxiedConnections } from "./proxied.ts";
import type { Responder, Response } from "./respond.ts";

export interface Http2Options {
  readonly respond: Responder["respond"];
  readonly connections: Pick<ProxiedConnections, "of">;
  readonly counts: Counts;
}

/** Answers what comes over HTTP/2. */
export function createHttp2({ respond, connections, counts }: Http2Options) {
  const send = (
    response: Http2ServerResponse,
    { answer, serviceId, rejected }: Response,
    startMs: number,
  ): void => {
    const { stream } = response;
    // A body is not waited for (RFC 9113 8.1).
    if (!stream.endAfterHeaders) response.once("finish", () => stream.close(constants.NGHTTP2_NO_ERROR));
    response.writeHead(answer.status, headersOf(answer)).end(answer.body);
    if (rejected !== undefined) counts.rejected(rejected);
    counts.answered(answer.status, serviceId, (performance.now() - startMs) / 1000);
  };

  return (request: Http2ServerRequest, response: Http2ServerResponse): void => {
    const startMs = performance.now();
    const socket = request.stream.session?.socket;
    const peer = connections.of(socket)?.address ?? peerOf(socket);
    const made = respond({ ...fromHttp2(request), peer });
    const { reads } = made;
    if (reads === undefined) return send(response, made, startMs);
    collect(request, reads.most, (octets) => send(response, withBody(made, reads, octets), startMs));
  };
}
