import { createHash, createHmac } from "node:crypto";
import { formatAddress } from "../base/address.ts";
import type { Address } from "../model/address.ts";
import type { Signing, SigningKey } from "../model/service.ts";

/** What proves to an edge that a viewer was sent to it. */
export interface Signed {
  /** For `{signature}`, `{expires}` and `{key}` of a url template; `wmsauth` has no such parts. */
  readonly signature: string;
  readonly expires: string;
  readonly key: string;
  /** The same as parameters of a query. */
  readonly parameters: string;
}

/**
 * @param path as the viewer asked for it, byte for byte
 * @param nowMs wall clock
 */
export function sign(signing: Signing, path: string, viewer: Address, nowMs: number): Signed {
  const key = keyAt(signing.keys, nowMs);
  const address = signing.bindsAddress ? formatAddress(viewer) : "";
  const signed = signing.over === "folder" ? path.slice(0, path.lastIndexOf("/") + 1) : path;
  const expires = String(Math.floor(nowMs / 1000) + signing.ttlSeconds);
  switch (signing.scheme) {
    case "secure-link":
      return inParts("md5", secureLink(`${expires}${signed}${address} ${key.secret}`), expires, key);
    case "hmac":
      return inParts("token", hmac(`${expires}\n${signed}\n${address}`, key.secret), expires, key);
    case "wmsauth":
      return { signature: "", expires, key: "", parameters: wmsAuth(signing, signed, address, key, nowMs) };
  }
}

/** The one that began last. */
function keyAt(keys: readonly SigningKey[], nowMs: number): SigningKey {
  const begun = keys.filter(({ fromMs = Number.NEGATIVE_INFINITY }) => fromMs <= nowMs);
  return (begun.length > 0 ? begun : keys).reduce(later);
}

function later(a: SigningKey, b: SigningKey): SigningKey {
  return (b.fromMs ?? Number.NEGATIVE_INFINITY) > (a.fromMs ?? Number.NEGATIVE_INFINITY) ? b : a;
}

function inParts(name: string, signature: string, expires: string, { id = "" }: SigningKey): Signed {
  const key = id === "" ? "" : `&key=${id}`;
  return { signature, expires, key: id, parameters: `${name}=${signature}&expires=${expires}${key}` };
}

/** As `secure_link_md5` of nginx: the MD5 digest, base64url without padding. */
function secureLink(text: string): string {
  return createHash("md5").update(text, "latin1").digest("base64url");
}

function hmac(text: string, secret: string): string {
  return createHmac("sha256", secret).update(text, "latin1").digest("base64url");
}

/** As Softvelum publishes it for Nimble Streamer and Wowza; signed over a folder, it is bound to that stream's name. */
function wmsAuth(
  { over, ttlSeconds }: Signing,
  path: string,
  address: string,
  { secret }: SigningKey,
  nowMs: number,
): string {
  const minutes = Math.ceil(ttlSeconds / 60);
  const time = wmsTime(new Date(nowMs));
  const stream = over === "folder" ? path.replace(/^\/|\/$/g, "") : "";
  const digest = createHash("md5")
    .update(address + secret + time + String(minutes) + stream, "latin1")
    .digest("base64");
  const length = over === "folder" ? `&strm_len=${stream.length}` : "";
  const text = `server_time=${time}&hash_value=${digest}&validminutes=${minutes}${length}`;
  return `wmsAuthSign=${Buffer.from(text, "latin1").toString("base64")}`;
}

/** As `5/4/2012 8:33:05 AM`, UTC. */
function wmsTime(date: Date): string {
  const hours = date.getUTCHours();
  const clock = [hours % 12 || 12, two(date.getUTCMinutes()), two(date.getUTCSeconds())].join(":");
  const day = [date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCFullYear()].join("/");
  return `${day} ${clock} ${hours < 12 ? "AM" : "PM"}`;
}

function two(n: number): string {
  return String(n).padStart(2, "0");
}
