/** Why a source could not be read; in words, for people, without url, credentials or text from the network. */
export class PullError extends Error {}

/** @returns the same, or what is known of an error of the network, in words */
export function pullErrorOf(error: unknown): PullError {
  if (error instanceof PullError) return error;
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
  HPE_INVALID_CONSTANT: "it does not speak HTTP",
  HPE_INVALID_VERSION: "it does not speak HTTP",
  EHOSTUNREACH: "it is unreachable",
  ENETUNREACH: "it is unreachable",
  CERT_HAS_EXPIRED: "its certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is signed by itself",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not of a known authority",
};
