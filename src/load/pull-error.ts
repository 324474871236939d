import { errors } from "undici";

/** Why a source could not be read; in words, for people, without url, credentials or text from the network. */
export class PullError extends Error {
  /** What the server answered instead of 200, where it answered. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

/** @returns the same, or what is known of an error of the network, in words */
export function pullErrorOf(error: unknown): PullError {
  if (error instanceof PullError) return error;
  // undici's parser gives its reason in words, and quotes what it was sent.
  if (error instanceof errors.HTTPParserError) return new PullError("it does not speak HTTP/1.1");
  const code = codeOf(error) ?? "UNKNOWN";
  return new PullError(WORDS_BY_CODE[code] ?? `it cannot be read (${code})`);
}

/** Whether a connection ended under a request, as one that was kept may do at any time. */
export function isDisconnection(error: unknown): boolean {
  return DISCONNECTIONS.has(codeOf(error) ?? "");
}

const DISCONNECTIONS: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]);

function codeOf(error: unknown): string | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === "string" && /^[A-Z_0-9]{1,50}$/.test(code) ? code : undefined;
}

const WORDS_BY_CODE: { readonly [code: string]: string } = {
  ECONNREFUSED: "it refuses the connection",
  ECONNRESET: "it closed the connection",
  EPIPE: "it closed the connection",
  UND_ERR_SOCKET: "it closed the connection",
  UND_ERR_CONNECT_TIMEOUT: "it does not answer in time",
  UND_ERR_HEADERS_OVERFLOW: "its headers are too long",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "it tells the length of its reply in two ways that differ",
  EHOSTUNREACH: "it is unreachable",
  ENETUNREACH: "it is unreachable",
  CERT_HAS_EXPIRED: "its certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is signed by itself",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not of a known authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is not of a known authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not of a known authority",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS there",
};
