import { Agent, request } from "undici";
import type { LoadReport } from "../model/condition.ts";

/** What became of one report. */
export type Delivery =
  | { readonly kind: "taken" }
  /** The service answered, and did not take it: in its words. */
  | { readonly kind: "refused"; readonly status: number; readonly problem: string }
  | { readonly kind: "unreached"; readonly problem: string };

/** Brings reports to the operators' door. Never rejects. */
export interface Deliverer {
  readonly deliver: (report: LoadReport) => Promise<Delivery>;
  close(): Promise<void>;
}

export interface DelivererOptions {
  /** The door's origin, with a path where a proxy puts it under one. */
  readonly server: URL;
  readonly edgeId: string;
  /** Sent as a bearer token (RFC 6750 2.1). */
  readonly token?: string;
  /** Certificates, PEM, that are trusted instead of the usual ones. */
  readonly ca?: string;
  /** For one report, whole. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 5000;
const ANSWER_OCTETS_MAX = 64 * 1024;

/** The certificate of an https door is checked; redirects are not followed, so that the token goes nowhere else. */
export function createDeliverer(options: DelivererOptions): Deliverer {
  const { server, edgeId, token, ca, timeoutMs = TIMEOUT_MS } = options;
  const agent = new Agent({
    connections: 1,
    pipelining: 1,
    maxResponseSize: ANSWER_OCTETS_MAX,
    connect: { timeout: timeoutMs, ...(ca === undefined ? {} : { ca }) },
  });
  const url = new URL(`v1/edges/${encodeURIComponent(edgeId)}/load`, withSlash(server));
  return {
    deliver: async (report) => {
      try {
        const answer = await request(url, {
          dispatcher: agent,
          method: "PUT",
          headers: {
            "content-type": "application/json",
            accept: "application/problem+json",
            "user-agent": "edgeward-agent",
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          },
          body: JSON.stringify(report),
          signal: AbortSignal.timeout(timeoutMs),
        });
        const text = await answer.body.text();
        if (answer.statusCode === 204) return { kind: "taken" };
        return { kind: "refused", status: answer.statusCode, problem: wordsFor(answer.statusCode, text) };
      } catch (error) {
        return { kind: "unreached", problem: reasonOf(error as NodeJS.ErrnoException) };
      }
    },
    close: () => agent.destroy(),
  };
}

function withSlash(server: URL): URL {
  const base = new URL(server);
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  return base;
}

function wordsFor(status: number, body: string): string {
  if (status === 401) return "it answers 401: the token is missing or not one of its ops.tokens";
  const said = saidIn(body);
  if (status >= 300 && status < 400)
    return `it answers ${status}: redirects are not followed, give the final url`;
  return said === undefined ? `it answers ${status}` : `it answers ${status}: ${said}`;
}

const SAID_LENGTH_MAX = 300;

/** The title and detail of a problem document (RFC 9457 3.1), fit for a log. */
function saidIn(body: string): string | undefined {
  try {
    const { title, detail } = JSON.parse(body) as { title?: unknown; detail?: unknown };
    const said = [title, detail].filter((text) => typeof text === "string").join(": ");
    return said === "" ? undefined : said.replace(/\p{Cc}/gu, "?").slice(0, SAID_LENGTH_MAX);
  } catch {
    return undefined;
  }
}

function reasonOf(error: NodeJS.ErrnoException): string {
  const { code, message, name } = (error.cause as NodeJS.ErrnoException | undefined) ?? error;
  if (name === "TimeoutError") return "it does not answer in time";
  return REASONS[code ?? ""] ?? code ?? message;
}

const REASONS: { readonly [code: string]: string } = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "it closed the connection",
  UND_ERR_SOCKET: "it closed the connection",
  ENOTFOUND: "its name does not resolve",
  EAI_AGAIN: "its name cannot be looked up now",
  EHOSTUNREACH: "no route to it",
  ENETUNREACH: "no route to it",
  ETIMEDOUT: "it does not answer in time",
  UND_ERR_CONNECT_TIMEOUT: "it does not answer in time",
  UND_ERR_RES_EXCEEDED_MAX_SIZE: "its answer is too long",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS there",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed: name it with --ca",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is of an unknown authority: name that with --ca",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is of an unknown authority: name that with --ca",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is of an unknown authority: name that with --ca",
  CERT_HAS_EXPIRED: "its certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
};
