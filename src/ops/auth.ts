import { createHash, timingSafeEqual } from "node:crypto";
import { parseAddress, parsePrefix, contains } from "../base/address.ts";
import type { Endpoint, Token } from "../model/inventory.ts";
import type { Prefix } from "../model/address.ts";
import type { ProblemCode } from "./problems.ts";

/**
 * What an operation needs. anyone: no token; authenticated: any token; viewer: may read;
 * reporter: may speak for the edge in question; operator: may change things.
 */
export type Access = "anyone" | "authenticated" | "viewer" | "reporter" | "operator";

/** Who is asking. `local` is anyone on this host, while no tokens are configured. */
export type Caller =
  | { readonly kind: "local" }
  | { readonly kind: "token"; readonly name: string; readonly role: Token["role"]; readonly edge?: string };

/** The door's rules of admission, prepared from the configuration. */
export interface Guard {
  /** No tokens are configured and the listener is reachable from this host only. */
  readonly open: boolean;
  readonly listenHost: string;
  readonly keys: readonly Key[];
}

/** The headers that admission depends on, as received. */
export interface Credentials {
  readonly method: string;
  readonly authorization: string | undefined;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** Sec-Fetch-Site */
  readonly site: string | undefined;
}

export type Admission =
  | { readonly kind: "admitted"; readonly caller: Caller }
  | { readonly kind: "refused"; readonly code: ProblemCode; readonly detail?: string };

interface Key {
  readonly digest: Buffer;
  readonly caller: Caller;
}

const LOCAL: Caller = { kind: "local" };
const DIGEST_OCTETS = 32;

/** @throws TypeError if a token's hash is not a SHA-256; its value is not told. */
export function createGuard(listen: Endpoint, tokens: readonly Token[]): Guard {
  return {
    open: tokens.length === 0 && isLoopback(listen.host),
    listenHost: listen.host,
    keys: tokens.map(keyOf),
  };
}

/** Decides whether a request may go on. `edgeId` is the edge it speaks of, where there is one. */
export function admit(guard: Guard, asked: Credentials, access: Access, edgeId?: string): Admission {
  if (access === "anyone") return { kind: "admitted", caller: LOCAL };
  if (guard.open && !isOwnHost(guard, asked.host)) return refused("foreign-host", FOREIGN_HOST);
  if (isForeignWrite(asked)) return refused("foreign-origin", FOREIGN_ORIGIN);
  if (guard.open) return { kind: "admitted", caller: LOCAL };
  const caller = identify(guard, asked.authorization);
  if (caller === undefined) return refused("unauthorized");
  return may(caller, access, edgeId) ? { kind: "admitted", caller } : refused("forbidden", NEEDS[access]);
}

/** The name that a change is recorded under. */
export function nameOf(caller: Caller): string {
  return caller.kind === "local" ? "local" : caller.name;
}

export function isLoopback(host: string): boolean {
  const address = parseAddress(host);
  return address !== undefined && LOOPBACK.some((prefix) => contains(prefix, address));
}

const LOOPBACK: readonly Prefix[] = ["127.0.0.0/8", "::1/128"]
  .map(parsePrefix)
  .filter((prefix) => prefix !== undefined);

const FOREIGN_HOST =
  "without tokens this listener answers only to localhost, a loopback address or its own address";
const FOREIGN_ORIGIN = "a page of another origin may not change anything here";

const NEEDS: Record<Exclude<Access, "anyone">, string> = {
  authenticated: "this needs a token",
  viewer: "this needs the role viewer or operator",
  reporter: "this needs the role operator, or reporter of this very edge",
  operator: "this needs the role operator",
};

function keyOf({ name, role, edge, sha256 }: Token): Key {
  const digest = Buffer.from(sha256, "hex");
  if (digest.length !== DIGEST_OCTETS) throw new TypeError(`token ${name}: sha256 is not 64 hex digits`);
  const caller: Caller = { kind: "token", name, role, ...(edge === undefined ? {} : { edge }) };
  return { digest, caller };
}

/** Takes the same time whichever token matches, or none: every hash is compared, at one length. */
function identify(guard: Guard, authorization: string | undefined): Caller | undefined {
  const presented = createHash("sha256").update(bearerOf(authorization)).digest();
  let caller: Caller | undefined;
  for (const key of guard.keys) if (timingSafeEqual(key.digest, presented)) caller ??= key.caller;
  return caller;
}

/** The token of `Authorization: Bearer TOKEN` (RFC 6750 2.1); empty, which no token is, for anything else. */
function bearerOf(authorization = ""): string {
  return /^bearer +([A-Za-z0-9._~+/-]+=*) *$/i.exec(authorization)?.[1] ?? "";
}

function may(caller: Caller, access: Access, edgeId: string | undefined): boolean {
  if (caller.kind === "local" || caller.role === "operator") return true;
  switch (access) {
    case "anyone":
    case "authenticated":
      return true;
    case "viewer":
      return caller.role === "viewer";
    case "reporter":
      return caller.role === "reporter" && caller.edge !== undefined && caller.edge === edgeId;
    case "operator":
      return false;
  }
}

/** Against DNS rebinding: a page whose name was pointed at loopback still sends its own name as Host. */
function isOwnHost(guard: Guard, host: string | undefined): boolean {
  const name = hostnameOf(host);
  return name !== undefined && (name === "localhost" || name === guard.listenHost || isLoopback(name));
}

/** Host without its port and brackets, lower case. */
function hostnameOf(host = ""): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d{1,5})?$/i.exec(host);
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

/** Against cross-site request forgery: browsers name the origin of every write. */
function isForeignWrite({ method, origin, site, host }: Credentials): boolean {
  if (method === "GET" || method === "HEAD") return false;
  if (site === "cross-site" || site === "same-site") return true;
  return origin !== undefined && originHost(origin) !== host?.toLowerCase();
}

function originHost(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function refused(code: ProblemCode, detail?: string): Admission {
  return detail === undefined ? { kind: "refused", code } : { kind: "refused", code, detail };
}
