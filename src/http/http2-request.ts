import type { Http2ServerRequest } from "node:http2";
import type { ViewerRequest } from "./viewer-request.ts";

/** A request of HTTP/2 as one of HTTP/1.1: `:authority` is its Host (RFC 9113 8.3.1). */
export function fromHttp2(request: Http2ServerRequest): Omit<ViewerRequest, "peer"> {
  const { method, url, headers } = request;
  const rawHeaders = ordinary(request.rawHeaders, headers[":authority"]);
  const headerSize = request.rawHeaders.reduce((sum, text) => sum + text.length, 0);
  return { method, target: url, rawHeaders, headers, headerSize, isEncrypted: true };
}

/** Host stays beside an authority that differs, and is then refused as the second one. */
function ordinary(raw: readonly string[], authority: string | undefined): string[] {
  const fields: string[] = authority === undefined ? [] : ["host", authority];
  for (let i = 0; i < raw.length; i += 2) {
    const [name = "", value = ""] = raw.slice(i, i + 2);
    if (!name.startsWith(":") && (name !== "host" || value !== authority)) fields.push(name, value);
  }
  return fields;
}
