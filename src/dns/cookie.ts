import type { Cookie } from "./query.ts";
import { sipHash } from "./siphash.ts";
import { writeUint32 } from "./wire.ts";

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
 * @param secrets of 16 octets each: the first makes cookies, all are accepted, so that servers can be
 * moved to a new one (RFC 9018 5)
 */
export function createCookieJar(secrets: readonly [Uint8Array, ...Uint8Array[]]): CookieJar {
  const made = new Uint8Array(SERVER_COOKIE_OCTETS);

  const isOurs = (cookie: Cookie, address: Uint8Array, nowSeconds: number): boolean => {
    if (cookie.serverOctets !== SERVER_COOKIE_OCTETS || cookie.server[0] !== VERSION) return false;
    const seconds = new DataView(cookie.server.buffer, cookie.server.byteOffset).getUint32(4);
    const ageSeconds = (nowSeconds - seconds) | 0; // serial number arithmetic, RFC 1982
    if (ageSeconds > MAX_AGE_SECONDS || ageSeconds < -MAX_FUTURE_SECONDS) return false;
    return secrets.some((secret) => {
      make(secret, cookie, address, seconds, made);
      return sameHash(made, cookie.server);
    });
  };

  return {
    renew(cookie, address, nowSeconds, fresh) {
      make(secrets[0], cookie, address, nowSeconds, fresh);
      return isOurs(cookie, address, nowSeconds);
    },
  };
}

const VERSION = 1;
const MAX_AGE_SECONDS = 3600;
const MAX_FUTURE_SECONDS = 300;

/** Client cookie, the first half of the server cookie, and the address (RFC 9018 4.4). */
const hashed = new Uint8Array(8 + 8 + 16);

function make(
  secret: Uint8Array,
  cookie: Cookie,
  address: Uint8Array,
  seconds: number,
  into: Uint8Array,
): void {
  into[0] = VERSION;
  into.fill(0, 1, 4);
  writeUint32(into, 4, seconds);
  hashed.set(cookie.client);
  for (let i = 0; i < 8; i++) hashed[8 + i] = into[i] as number;
  hashed.set(address, 16);
  sipHash(secret, hashed, 16 + address.length, into, 8);
}

/** All of it, in a time that does not tell how much of it was right. */
function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < SERVER_COOKIE_OCTETS; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}
