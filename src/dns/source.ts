import { parseAddress } from "../base/address.ts";

/** The octets of a socket's remote address: 4 or 16, none if it is no address. */
export function sourceOctets(text = ""): Uint8Array {
  const zoneAt = text.indexOf("%");
  return parseAddress(zoneAt < 0 ? text : text.slice(0, zoneAt))?.bytes ?? NONE;
}

const NONE = new Uint8Array(0);

/**
 * Whether a UDP packet claims to come from where something answers whatever it gets (echo, daytime,
 * chargen, time), so that a forged one would have it and us talk for ever; or from nowhere.
 */
export function isReflectorPort(port: number): boolean {
  return port === 0 || port === 7 || port === 13 || port === 19 || port === 37;
}
