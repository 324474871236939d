import type { LiveMemory } from "./live.ts";

/** What a probe found. */
export type ProbeResult = Success | Failure;

interface Seen {
  readonly durationMs: number;
  /** In order; after a failure the last one is where it failed. */
  readonly steps: readonly Step[];
  /** What players would stumble over; only where the context asks for it. */
  readonly notes?: readonly string[];
  /** For the next probe of the same target; without one the last memory stands. */
  readonly memory?: LiveMemory;
}

export interface Step {
  readonly name:
    | "resolve"
    | "connect"
    | "tls"
    | "reply"
    | "body"
    | "handshake"
    /** RTMP's `connect` command. */
    | "application"
    | "playlist"
    | "segment"
    /** Waiting for a live playlist to change. */
    | "advance"
    | "close";
  readonly ms: number;
}

export interface Success extends Seen {
  readonly ok: true;
}

export interface Failure extends Seen {
  readonly ok: false;
  readonly reason: FailureReason;
  /** An error code or a number, never text from the network. */
  readonly detail?: string;
}

/** The fixed vocabulary of logs, metrics and the API. */
export type FailureReason =
  /** Not finished within the probe's timeout. */
  | "timeout"
  | "refused"
  /** The connection was closed or reset in the middle. */
  | "reset"
  | "unreachable"
  /** The handshake failed; the certificate was not the reason. */
  | "tls"
  /** Issuer, dates or name. */
  | "certificate"
  | "status"
  /** The text is not within the first 64 KiB. */
  | "body"
  /** An expected header is missing or other than expected. */
  | "header"
  /** No usable HLS playlist: not one at all, empty, too long, or only with URIs of other hosts. */
  | "playlist"
  /** A live playlist that no longer advances. */
  | "stale"
  /** The newest segment cannot be had. */
  | "segment"
  /** The server refused the RTMP application. */
  | "application"
  /** Another DNS response code, or no record of the asked type. */
  | "answer"
  /** Not the protocol that was asked for. */
  | "protocol"
  | "resolve"
  | "forbidden-address"
  /** This machine could not even start it (no file descriptor, no port): says nothing of the edge. */
  | "local"
  /** Given up by us: says nothing of the edge. */
  | "cancelled";

/** What the reason of a failure does not say by itself. */
export function detailOf({ reason, detail }: Failure): string | undefined {
  return SAYS_ALL.has(reason) ? undefined : detail;
}

const SAYS_ALL: ReadonlySet<FailureReason> = new Set(["timeout", "refused", "reset", "unreachable"]);

/** Thrown inside a probe; `attempt` turns it into a `Failure`. */
export class ProbeError extends Error {
  readonly reason: FailureReason;
  readonly detail: string | undefined;

  constructor(reason: FailureReason, detail?: string) {
    super(detail === undefined ? reason : `${reason}: ${detail}`);
    this.reason = reason;
    this.detail = detail;
  }
}

/** Whatever a socket, TLS or HTTP threw, in our vocabulary. */
export function probeErrorOf(error: unknown): ProbeError {
  if (error instanceof ProbeError) return error;
  const code = codeOf(error);
  return new ProbeError(reasonOf(code), code);
}

/** The same inside a TLS handshake, where unknown codes are OpenSSL's. */
export function tlsErrorOf(error: unknown): ProbeError {
  const code = codeOf(error);
  if (!code.startsWith("ERR_SSL") && CERTIFICATE_CODE.test(code)) return new ProbeError("certificate", code);
  return code in REASON_BY_CODE ? probeErrorOf(error) : new ProbeError("tls", code);
}

/** OpenSSL's verification errors, and Node's one for the name. */
const CERTIFICATE_CODE = /CERT|SIGNATURE|ISSUER|INVALID_CA|CRL|HOSTNAME/;

const REASON_BY_CODE: { readonly [code: string]: FailureReason } = {
  ECONNREFUSED: "refused",
  ECONNRESET: "reset",
  EPIPE: "reset",
  UND_ERR_SOCKET: "reset",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  ENETDOWN: "unreachable",
  EHOSTDOWN: "unreachable",
  ETIMEDOUT: "timeout",
  EMFILE: "local",
  ENFILE: "local",
  ENOBUFS: "local",
  ENOMEM: "local",
  EADDRINUSE: "local",
  EADDRNOTAVAIL: "local",
  EACCES: "local",
  EPERM: "local",
  EAFNOSUPPORT: "local",
};

function reasonOf(code: string): FailureReason {
  return REASON_BY_CODE[code] ?? "protocol";
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : "UNKNOWN";
}
