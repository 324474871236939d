import { createHash } from "node:crypto";

/** One way of authentication that a server offers in `WWW-Authenticate` (RFC 9110 11.6.1). */
export interface Challenge {
  /** Lower case. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: { readonly [name: string]: string };
}

/** A Digest challenge that can be answered (RFC 7616). */
export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: string | undefined;
  readonly opaque: string | undefined;
  /** Absent: answered as RFC 2069 did. */
  readonly qop: "auth" | undefined;
}

/** Everything that `WWW-Authenticate` offers, be it one header or several. */
export function parseChallenges(header: string | readonly string[]): Challenge[] {
  const challenges: { scheme: string; parameters: { [name: string]: string } }[] = [];
  for (const [, name = "", quoted, token] of [header].flat().join(", ").matchAll(PART)) {
    const value = quoted?.replaceAll(/\\(.)/g, "$1") ?? token;
    const last = challenges.at(-1);
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), parameters: {} });
    else if (last !== undefined) last.parameters[name.toLowerCase()] = value;
  }
  return challenges;
}

/** The best Digest challenge offered: SHA-256 before MD5; undefined when none can be answered. */
export function digestChallengeIn(challenges: readonly Challenge[]): DigestChallenge | undefined {
  const usable = challenges.filter(({ scheme }) => scheme === "digest").flatMap(digestChallenge);
  return usable.find(({ algorithm }) => /^sha-256/i.test(algorithm ?? "")) ?? usable[0];
}

export interface DigestRequest {
  readonly method: string;
  /** Path and query, as in the request line. */
  readonly uri: string;
  readonly username: string;
  readonly password: string;
  readonly cnonce: string;
  /** From 1; rises with each use of a nonce. */
  readonly count: number;
}

/** The value of `Authorization` that answers a challenge (RFC 7616 3.4). */
export function digestAuthorization(challenge: DigestChallenge, request: DigestRequest): string {
  const { realm, nonce, algorithm, opaque, qop } = challenge;
  const { method, uri, username, password, cnonce } = request;
  const hash = (...parts: readonly string[]): string =>
    createHash(/^sha-256/i.test(algorithm ?? "") ? "sha256" : "md5")
      .update(parts.join(":"))
      .digest("hex");
  const plain = hash(username, realm, password);
  const who = /-sess$/i.test(algorithm ?? "") ? hash(plain, nonce, cnonce) : plain;
  const what = hash(method, uri);
  const nc = request.count.toString(16).padStart(8, "0");
  const response = qop === undefined ? hash(who, nonce, what) : hash(who, nonce, nc, cnonce, qop, what);
  const parts = [
    `username=${quoted(username)}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(uri)}`,
    ...(algorithm === undefined ? [] : [`algorithm=${algorithm}`]),
    ...(qop === undefined ? [] : [`qop=${qop}`, `nc=${nc}`, `cnonce=${quoted(cnonce)}`]),
    `response="${response}"`,
    ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
  ];
  return `Digest ${parts.join(", ")}`;
}

/** `username:password`, in UTF-8 (RFC 7617). */
export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function digestChallenge({ parameters }: Challenge): DigestChallenge[] {
  const { realm, nonce, algorithm, opaque, qop } = parameters;
  if (realm === undefined || nonce === undefined) return [];
  if (algorithm !== undefined && !/^(md5|sha-256)(-sess)?$/i.test(algorithm)) return [];
  const offered = qop?.toLowerCase().split(/[\s,]+/);
  if (offered !== undefined && !offered.includes("auth")) return [];
  return [{ realm, nonce, algorithm, opaque, qop: offered === undefined ? undefined : "auth" }];
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** A scheme, or `name=value` with a token or a quoted text as value. */
const PART = /([!#$%&'*+.^_`|~\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/g;
