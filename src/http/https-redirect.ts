import type { HttpsRedirect } from "../model/service.ts";
import { type Answer, redirect } from "./answer.ts";
import { printable } from "./location.ts";
import type { Target } from "./target.ts";

/** Certificate authorities ask over plain HTTP, before there is a certificate (RFC 8555 8.3). */
const CHALLENGES = "/.well-known/acme-challenge/";

export function isForPlainHttp({ path }: Target): boolean {
  return path.startsWith(CHALLENGES);
}

/**
 * To the same hostname and target with TLS. One that is for good may be kept for a day, so that it can be taken back.
 * @param hostname of a service, lower case, without port
 */
export function toHttps(
  { status, port }: HttpsRedirect,
  method: string,
  hostname: string,
  { path, query }: Target,
): Answer {
  const isRead = method === "GET" || method === "HEAD";
  const isForGood = status === 301 || status === 308;
  const authority = port === 443 ? hostname : `${hostname}:${port}`;
  const location = `https://${authority}${printable(path)}${printable(query)}`;
  const keepsMethod = isForGood ? 308 : 307;
  return redirect(isRead ? status : keepsMethod, location, isForGood ? "private, max-age=86400" : "no-store");
}
