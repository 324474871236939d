import type { RequestListener } from "node:http";
import type { DemoStream } from "./media.ts";

/** A file as it is sent; `undefined` where an edge has nothing at that path. */
interface Found {
  readonly type: string;
  readonly body: Buffer;
}

/** CORS for any page: after a cross-origin redirect a browser's Origin is `null` (Fetch 4.4). */
const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, HEAD, OPTIONS",
  "access-control-allow-headers": "*",
  "access-control-expose-headers": "X-Edge",
  "access-control-max-age": "600",
};

/** Answers like a small edge server: `/health`, and the stream at any path that ends in `.m3u8`. */
export function answerAsEdge(edgeId: string, stream: DemoStream): RequestListener {
  return (request, response) => {
    const headers = { ...CORS, "x-edge": edgeId };
    if (request.method === "OPTIONS") {
      response.writeHead(204, headers).end();
      return;
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { ...headers, allow: "GET, HEAD, OPTIONS" }).end();
      return;
    }
    const found = find(stream, pathOf(request.url ?? "/"));
    const { type, body } = found ?? { type: TEXT, body: Buffer.from("not found\n") };
    response.writeHead(found === undefined ? 404 : 200, {
      ...headers,
      "content-type": type,
      "content-length": body.length,
      "cache-control": "no-store",
    });
    response.end(request.method === "HEAD" ? undefined : body);
  };
}

const TEXT = "text/plain; charset=utf-8";

function find(stream: DemoStream, path: string): Found | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (name === "health") return { type: TEXT, body: Buffer.from("ok\n") };
  // RFC 8216 section 4 and, for the segments, section 3.2.
  if (name.endsWith(".m3u8")) return { type: "application/vnd.apple.mpegurl", body: stream.playlist };
  const segment = stream.segments.get(name);
  return segment === undefined ? undefined : { type: "video/mp2t", body: segment };
}

function pathOf(target: string): string {
  const query = target.indexOf("?");
  return query < 0 ? target : target.slice(0, query);
}
