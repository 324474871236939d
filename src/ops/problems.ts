import type { Problem } from "../model/problem.ts";

/** Every way in which the door says no; the code is stable and ends the problem's `type` URN. */
export const PROBLEMS = {
  "malformed-request": { status: 400, title: "The request cannot be understood" },
  unauthorized: { status: 401, title: "A valid token is needed" },
  forbidden: { status: 403, title: "The token's role does not allow this" },
  "foreign-host": { status: 403, title: "Asked under a foreign host name" },
  "foreign-origin": { status: 403, title: "Asked by a page of another origin" },
  "not-found": { status: 404, title: "There is nothing here" },
  "unknown-edge": { status: 404, title: "No such edge" },
  "unknown-hostname": { status: 404, title: "No service has this hostname" },
  "unknown-path": { status: 404, title: "No service of this hostname has this path" },
  "method-not-allowed": { status: 405, title: "The method is not allowed here" },
  "request-timeout": { status: 408, title: "The request took too long to arrive" },
  "too-large": { status: 413, title: "The body is too large" },
  "target-too-long": { status: 414, title: "The request target is too long" },
  "not-json": { status: 415, title: "The body is not application/json" },
  "encoded-body": { status: 415, title: "The body is compressed" },
  "invalid-body": { status: 422, title: "The body has a value that cannot be taken" },
  "invalid-address": { status: 422, title: "Not an address" },
  "not-replaced": { status: 409, title: "No other process took this one's place; this one serves on" },
  "invalid-configuration": { status: 422, title: "The configuration is wrong; the old one serves on" },
  "headers-too-large": { status: 431, title: "The header fields are too large" },
  internal: { status: 500, title: "A bug in edgeward; the log says more" },
  "not-ready": { status: 503, title: "Not ready yet" },
  "too-many-subscribers": { status: 503, title: "Too many subscribers to events" },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/** Members beside the standard ones (RFC 9457 3.2). */
export interface ProblemExtras {
  readonly problems?: readonly Problem[];
  readonly ready?: boolean;
  readonly reasons?: readonly string[];
  readonly alarms?: readonly string[];
}

export interface ProblemDocument extends ProblemExtras {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
}

export const PROBLEM_TYPE = "application/problem+json";

/** A problem document (RFC 9457). `detail` says what is wrong in this case, and what would be right. */
export function problem(code: ProblemCode, detail?: string, extras: ProblemExtras = {}): ProblemDocument {
  const { status, title } = PROBLEMS[code];
  const type = `urn:edgeward:problem:${code}`;
  return { type, title, status, ...(detail === undefined ? {} : { detail }), ...extras };
}

/** What is known of an error that the HTTP library raised before or instead of a handler. */
export interface RequestError {
  readonly code?: string;
  readonly statusCode?: number;
  readonly message: string;
  /** The part of the request whose schema it breaks. */
  readonly validationContext?: string;
}

/** Of an error: the body has a content coding. */
export const ENCODED_BODY = "ENCODED_BODY";

/** `undefined`: not the client's doing, so nothing of it may be told. */
export function problemOf(error: RequestError): ProblemDocument | undefined {
  if (error.validationContext === "body") return problem("invalid-body", error.message);
  if (error.validationContext !== undefined) return problem("malformed-request", error.message);
  switch (error.statusCode) {
    case 413:
      return problem("too-large");
    case 414:
      return problem("target-too-long");
    case 415:
      if (error.code === ENCODED_BODY)
        return problem("encoded-body", "send the body as it is, without Content-Encoding");
      return problem("not-json", "send the body with Content-Type: application/json");
    default:
      return isClientError(error) ? problem("malformed-request", DETAILS[error.code ?? ""]) : undefined;
  }
}

/** Own words for the library's errors, whose messages may repeat what was sent. */
const DETAILS: Record<string, string> = {
  FST_ERR_BAD_URL: "the path has an incomplete percent-encoding",
  FST_ERR_CTP_EMPTY_JSON_BODY: "the body is empty, though it is said to be JSON",
  FST_ERR_CTP_INVALID_JSON_BODY: "the body is not JSON",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "the body is not as long as Content-Length says",
};

function isClientError({ statusCode }: RequestError): boolean {
  return statusCode !== undefined && statusCode >= 400 && statusCode < 500;
}
