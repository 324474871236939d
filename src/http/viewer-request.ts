import type { Address } from "../model/address.ts";
import { prefersJson } from "./accept.ts";
import { type Answer, problem } from "./answer.ts";
import type { HeaderFields } from "./client-address.ts";
import type { RejectedReason } from "./counts.ts";
import { hostOf } from "./host.ts";
import { parseTarget, type Target } from "./target.ts";

/** A request as received; what lies behind it, socket or test, does not matter here. */
export interface ViewerRequest {
  readonly method: string;
  /** The request target byte for byte, one character per octet. */
  readonly target: string;
  readonly rawHeaders: readonly string[];
  readonly headers: HeaderFields;
  /** Left out: as many as there are in `rawHeaders`. */
  readonly fieldCount?: number;
  /** Octets of all fields, names and values; left out: whoever has read them has bounded them. */
  readonly headerSize?: number;
  /** The socket's other end. */
  readonly peer: Address;
  /** Whether the request came encrypted; left out: it did not. */
  readonly isEncrypted?: boolean;
}

export interface RequestLimits {
  /** Octets of the longest request target. */
  readonly maxTargetLength: number;
  readonly maxHeaderFields: number;
  readonly maxHeaderSize: number;
}

/** What a request is for. */
export interface Asked {
  readonly kind: "asked";
  readonly hostname: string;
  /** As the viewer knows it; empty where none is told. */
  readonly port: string;
  readonly target: Target;
}

/** Why it cannot be told. */
interface NotAsked {
  readonly kind: "rejected";
  readonly status: 400 | 414 | 431;
  readonly reason: RejectedReason;
  readonly detail: string;
}

export function askedFor(
  {
    method,
    target: raw,
    headers,
    rawHeaders,
    headerSize = 0,
    fieldCount = rawHeaders.length / 2,
  }: ViewerRequest,
  { maxTargetLength, maxHeaderFields, maxHeaderSize }: RequestLimits,
): Asked | NotAsked {
  if (raw.length > maxTargetLength)
    return rejected(414, "uri-too-long", `the target is longer than ${maxTargetLength} octets`);
  const target = parseTarget(raw);
  if (target === undefined || (target.path === "*" && method !== "OPTIONS"))
    return rejected(400, "bad-request", "a malformed request target");
  if (fieldCount > maxHeaderFields)
    return rejected(431, "header-overflow", `more than ${maxHeaderFields} header fields`);
  if (headerSize > maxHeaderSize)
    return rejected(431, "header-overflow", `a header of more than ${maxHeaderSize} octets`);
  if (!hasKnownLength(headers["transfer-encoding"]))
    return rejected(400, "bad-request", "a Transfer-Encoding that does not end in chunked");
  const host = hostOf(rawHeaders, target.authority);
  if (host.kind === "malformed") return rejected(400, "bad-host", host.detail);
  const { hostname, port } = host;
  return { kind: "asked", hostname, port, target };
}

function rejected(status: 400 | 414 | 431, reason: RejectedReason, detail: string): NotAsked {
  return { kind: "rejected", status, reason, detail };
}

/** RFC 9112 6.3: otherwise nobody knows where the request ends. */
function hasKnownLength(transferEncoding: string | readonly string[] | undefined): boolean {
  return transferEncoding === undefined || /(?:^|,)[ \t]*chunked$/i.test(String(transferEncoding));
}

/** In JSON for whoever asks for that. */
export function refusal(
  request: ViewerRequest,
  status: number,
  detail: string,
  more?: Answer["headers"],
): Answer {
  return problem(status, detail, asksForJson(request), more);
}

export function asksForJson({ headers }: ViewerRequest): boolean {
  const { accept } = headers;
  return prefersJson(typeof accept === "string" ? accept : accept?.join(","));
}
