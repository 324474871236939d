import { createHmac } from "node:crypto";
import type { Cookie } from "./query.ts";
import { sipHash } from "./siphash.ts";
import { readUint32, writeUint32 } from "./wire.ts";

/** RFC 9018 4 */
export const SERVER_COOKIE_OCTETS = 16;

/** Makes and checks server cookies (RFC 7873) in the interoperable form of RFC 9018. */
export interface CookieJar {
  /**
   * Writes the server cookie to send back into `fresh`. True: the one presented was ours, for this
   * address, and recent.
   * @param address the client's, 4 or 16 octets
   * @param nowSeconds wall clock, since 1970
   */
  renew(cookie: Cookie, address: Uint8Array, nowSeconds: number, fresh: Uint8Array): boolean;
}

/**
 * Of 16 octets each: the first makes cookies, all are accepted, so that servers can be moved to a new one (RFC 9018
 * 5).
 */
export type CookieSecrets = readonly [Uint8Array, ...Uint8Array[]];

/** By the wall clock, in seconds since 1970. */
export type CookieSecretsAt = (nowSeconds: number) => CookieSecrets;

/**
 * What is made of one secret: another for each day, and the one of the day before, which nobody who has seen cookies
 * can tell (RFC 7873 7.1).
 */
export function secretsByDay(secret: Uint8Array): CookieSecretsAt {
  const secretOf = (day: number): Uint8Array =>
    createHmac("sha256", secret).update(`${day}`).digest().subarray(0, SECRET_OCTETS);
  let today = Number.NaN;
  let secrets: CookieSecrets = [secret];
  return (nowSeconds) => {
    const day = Math.floor(nowSeconds / DAY_SECONDS);
    if (day !== today) secrets = [secretOf(day), secretOf(day - 1)];
    today = day;
    return secrets;
  };
}

const SECRET_OCTETS = 16;
const DAY_SECONDS = 86_400;

export function createCookieJar(secretsAt: CookieSecretsAt): CookieJar {
  const isOurs = (cookie: Cookie, address: Uint8Array, nowSeconds: number): boolean => {
    const { server } = cookie;
    if (cookie.serverOctets !== SERVER_COOKIE_OCTETS || server[0] !== VERSION) return false;
    const ageSeconds = (nowSeconds - readUint32(server, 4)) | 0; // serial number arithmetic, RFC 1982
    if (ageSeconds > MAX_AGE_SECONDS || ageSeconds < -MAX_FUTURE_SECONDS) return false;
    return secretsAt(nowSeconds).some((secret) => {
      for (let i = 0; i < HEAD_OCTETS; i++) expected[i] = server[i] as number;
      seal(secret, cookie, address, expected);
      return sameHash(expected, server);
    });
  };

  return {
    renew(cookie, address, nowSeconds, fresh) {
      fresh.fill(0, 0, HEAD_OCTETS);
      fresh[0] = VERSION;
      writeUint32(fresh, 4, nowSeconds);
      seal(secretsAt(nowSeconds)[0], cookie, address, fresh);
      return isOurs(cookie, address, nowSeconds);
    },
  };
}

const VERSION = 1;
const MAX_AGE_SECONDS = 3600;
const MAX_FUTURE_SECONDS = 300;

/** Version, three reserved octets and the time; a hash follows (RFC 9018 4). */
const HEAD_OCTETS = 8;

const expected = new Uint8Array(SERVER_COOKIE_OCTETS);
const hashed = new Uint8Array(8 + HEAD_OCTETS + 16);

/** Writes the hash of client cookie, head and address behind the head (RFC 9018 4.4). */
function seal(secret: Uint8Array, cookie: Cookie, address: Uint8Array, server: Uint8Array): void {
  hashed.set(cookie.client);
  for (let i = 0; i < HEAD_OCTETS; i++) hashed[8 + i] = server[i] as number;
  hashed.set(address, 16);
  sipHash(secret, hashed, 16 + address.length, server, HEAD_OCTETS);
}

/** All of it, in a time that does not tell how much of it was right. */
function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < SERVER_COOKIE_OCTETS; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}
