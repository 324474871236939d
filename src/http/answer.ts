import { STATUS_CODES } from "node:http";
import { formatAddress } from "../base/address.ts";
import type { Client } from "../model/client.ts";
import type { Choice, Decision, RejectionReason, Unreachable } from "../model/decision.ts";
import type { Edge } from "../model/edge.ts";

/** What is sent back. The body never repeats any part of the request's target. */
export interface Answer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  /** Of most redirects: the Location, where it is not among the headers. */
  readonly location?: string;
  readonly body: string;
}

/** All that are sent. */
export function headersOf({ headers, location }: Answer): Answer["headers"] {
  return location === undefined ? headers : { ...headers, Location: location };
}

type RedirectStatus = 301 | 302 | 307 | 308;

/** `location` as built from the configuration, with the caching that the decision allows. */
export function redirect(
  status: RedirectStatus,
  location: string,
  cacheControl: string,
  more?: Answer["headers"],
): Answer {
  const { body, headers } = redirectPattern(status, cacheControl);
  if (more === undefined) return { status, headers, location, body };
  return { status, headers: { ...headers, Location: location, ...more }, body };
}

type RedirectPattern = Pick<Answer, "headers" | "body">;

/** All of a redirect but where to; the same object for the same. */
function redirectPattern(status: RedirectStatus, cacheControl: string): RedirectPattern {
  const patterns = (REDIRECTS[status] ??= new Map<string, RedirectPattern>());
  const known = patterns.get(cacheControl);
  if (known !== undefined) return known;
  const body = `${status} ${STATUS_CODES[status]}\n`;
  const pattern = { body, headers: { ...contentHeaders(TEXT, body), "Cache-Control": cacheControl } };
  patterns.set(cacheControl, pattern);
  return pattern;
}

/** By status and Cache-Control, of which there are as many as services have `stickiness`. */
const REDIRECTS: (Map<string, RedirectPattern> | undefined)[] = [];

/**
 * To a CORS preflight, which may not be redirected (Fetch 4.8).
 * @param wanted the fields that the page wants to send: of all, `Authorization` alone is not among `*` (Fetch 2.2.2)
 */
export function preflight(wanted: string): Answer {
  return /(?:^|,)[ \t]*authorization[ \t]*(?:,|$)/i.test(wanted) ? AUTHORIZED_PREFLIGHT : PLAIN_PREFLIGHT;
}

const PLAIN_PREFLIGHT = preflightAllowing("*");
const AUTHORIZED_PREFLIGHT = preflightAllowing("*, Authorization");

function preflightAllowing(fields: string): Answer {
  const headers = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": fields,
    "Access-Control-Max-Age": "600",
    "Cache-Control": "no-store",
  };
  return { status: 204, headers, body: "" };
}

/** Plain text, or problem details (RFC 9457) where JSON was asked for. */
export function problem(status: number, detail: string, json: boolean, more: Answer["headers"] = {}): Answer {
  const title = STATUS_CODES[status] ?? "Error";
  const body = json ? JSON.stringify({ title, status, detail }) : `${status} ${title}: ${detail}\n`;
  return {
    status,
    headers: {
      ...contentHeaders(json ? "application/problem+json" : TEXT, body),
      "Cache-Control": "no-store",
      ...more,
    },
    body,
  };
}

/** Seconds; scripts of other origins may read it too (Fetch, CORS protocol). */
export const RETRY_LATER = { "Retry-After": "10", "Access-Control-Expose-Headers": "Retry-After" };

/** A choice with the address that its redirect would name, and the edge's other addresses for the same. */
export interface Target {
  readonly choice: Choice;
  readonly url: string;
  readonly urls?: { readonly [word: string]: string };
}

/** What only some may see: an edge that was left out. */
export interface LeftOut {
  readonly edge: Edge;
  readonly reason: RejectionReason | Unreachable;
  readonly distanceKm: number;
}

/** The next best edges as mirrors of the same file (RFC 6249), best first. */
export function duplicateLinks(urls: readonly string[]): string {
  return urls.map((url, i) => `<${inBrackets(url)}>; rel=duplicate; pri=${i + 1}`).join(", ");
}

/**
 * A path may have brackets as sent, which would end the link and let the viewer's address write others (RFC 8288 3).
 */
function inBrackets(url: string): string {
  return url.replaceAll("<", "%3C").replaceAll(">", "%3E");
}

/** The edge, and what the choice took in milliseconds (W3C Server Timing). */
export function serverTiming(edgeId: string, durationMs: number): Answer["headers"] {
  return {
    "Server-Timing": `edge;desc="${edgeId}", decide;dur=${durationMs.toFixed(3)}`,
    "Timing-Allow-Origin": "*",
  };
}

/**
 * The decision itself. The viewer's address is shown to nobody but the viewer.
 * @param leftOut for those who may see it, with prices and loads
 */
export function choices(
  decision: Decision,
  client: Client,
  targets: readonly Target[],
  fallbackUrl: string | undefined,
  leftOut?: readonly LeftOut[],
): Answer {
  const { country, continent, city, latitude, longitude, layer } = decision.location;
  const body = JSON.stringify({
    service: decision.service.id,
    viewer: { address: formatAddress(client.address), country, continent, city, latitude, longitude, layer },
    edges: targets.map(({ choice, url, urls }) => ({
      id: choice.edge.id,
      url,
      urls,
      distanceKm: known(choice.distanceKm),
      ...(leftOut && {
        priceKm: known(choice.priceKm),
        correctionKm: choice.correctionKm,
        load: known(choice.loadRatio),
      }),
    })),
    rejected: leftOut?.map(({ edge, reason, distanceKm }) => ({
      id: edge.id,
      reason,
      distanceKm: known(distanceKm),
    })),
    fallback: fallbackUrl === undefined ? undefined : { url: fallbackUrl },
    ttl: decision.ttlSeconds,
    outcome: decision.outcome.kind,
  });
  const headers = { ...contentHeaders("application/json", body), "Cache-Control": "no-store" };
  return { status: 200, headers, body };
}

/** A steering manifest, which no cache may keep: its TTL is the player's. */
export function manifest(body: string): Answer {
  const headers = { ...contentHeaders("application/json", body), "Cache-Control": "no-store" };
  return { status: 200, headers, body };
}

/** JSON has no NaN and no infinity. */
function known(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

const TEXT = "text/plain; charset=utf-8";

function contentHeaders(type: string, body: string): Answer["headers"] {
  return {
    "Access-Control-Allow-Origin": "*",
    Vary: "Accept",
    "Content-Type": type,
    "Content-Length": String(Buffer.byteLength(body)),
  };
}
