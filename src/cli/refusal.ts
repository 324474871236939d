import type { Failure } from "./answer.ts";
import { isRecord, isReply } from "./reply.ts";
import { printable } from "./text.ts";

/** What came back from the operators' door. */
export interface Reply {
  readonly kind: "reply";
  readonly status: number;
  /** `undefined` where it is not JSON. */
  readonly body: unknown;
}

/** What an answer other than 200 means; everything it says is made printable. */
export function refusal(server: URL, token: string | undefined, reply: Reply): Failure {
  const { status, body } = reply;
  if (status === 401) return no(token === undefined ? TOKEN_MISSING : TOKEN_UNKNOWN);
  if (!isRecord(body) || status < 400) return notEdgeward(server, reply);
  const said = saidBy(body);
  if (status === 403) return no(`the service does not allow this: ${said}`);
  if (status >= 500) return unreachable(server, `it answered ${status}, ${said}`, "");
  if (!isOurs(body)) return notEdgeward(server, reply);
  if (status === 422 && isReply("problems", body))
    return { kind: "wrong-configuration", problems: body.problems, meanwhile: GOES_ON };
  const what = UNKNOWN_NAMES.get(body["type"]);
  return what === undefined ? no(said) : { kind: "unknown", what, name: "", known: [] };
}

/** Whether the operators' door says so, and knows what it was asked for: the viewers' door says no in JSON too. */
function isOurs({ type }: Record<string, unknown>): boolean {
  const code = typeof type === "string" ? /^urn:edgeward:problem:(.+)$/.exec(type)?.[1] : undefined;
  return code !== undefined && code !== "not-found";
}

const GOES_ON = "the service goes on with the one it has";
const TOKEN_MISSING = "the service asks for a token; set EDGEWARD_TOKEN to one of those in ops.tokens";
const TOKEN_UNKNOWN =
  "the service does not know this token; EDGEWARD_TOKEN must be one of those in ops.tokens";

/** By the type of the problem document. */
const UNKNOWN_NAMES = new Map<unknown, "edge" | "hostname">([
  ["urn:edgeward:problem:unknown-edge", "edge"],
  ["urn:edgeward:problem:unknown-hostname", "hostname"],
]);

/** The title and detail of a problem document (RFC 9457 3.1). */
function saidBy({ title, detail }: Record<string, unknown>): string {
  const words = [title, detail].filter((text): text is string => typeof text === "string" && text !== "");
  return words.length === 0 ? "without saying why" : words.map(printable).join(": ");
}

/** The request did not get through, or nothing came back. */
export function unreached(server: URL, error: NodeJS.ErrnoException): Failure {
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code ?? error.code ?? "";
  return unreachable(server, printable(REASONS[code] ?? (code === "" ? error.message : code)));
}

/** Something else listens there, or an edgeward that this one does not understand. */
export function notEdgeward(server: URL, { status }: Reply): Failure {
  const why = `something answers ${status} there, but not as an edgeward of this version would`;
  return unreachable(server, why, "\nName the operators' door with --server URL.");
}

export const badToken: Failure = no("EDGEWARD_TOKEN has characters that no token has");

function no(message: string): Failure {
  return { kind: "no", message };
}

const IS_IT_RUNNING =
  "\nIs it running? Start it with `edgeward serve`, or name its operators' door with --server URL.";

function unreachable(server: URL, why: string, advice = IS_IT_RUNNING): Failure {
  return { kind: "unreachable", message: `cannot reach the service at ${server.href}: ${why}${advice}` };
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "it closed the connection",
  UND_ERR_SOCKET: "it closed the connection",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the name cannot be looked up now",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the network",
  ETIMEDOUT: "no answer in time",
  UND_ERR_CONNECT_TIMEOUT: "no answer in time",
  UND_ERR_HEADERS_TIMEOUT: "no answer in time",
  UND_ERR_BODY_TIMEOUT: "no answer in time",
  UND_ERR_RES_EXCEEDED_MAX_SIZE: "its answer is too large",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS there",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed",
  CERT_HAS_EXPIRED: "its certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
};
