import { parseAddress } from "../base/address.ts";
import type { Address } from "../model/address.ts";
import type { Endpoint } from "../model/inventory.ts";
import type { FileInput } from "./schema.ts";
import type { Path } from "./tree.ts";

export interface Door {
  readonly path: Path;
  readonly endpoint: Endpoint;
  /** On `::`, connections over IPv4 come too: not of DNS, nor of viewers where 0.0.0.0 is listed beside it. */
  readonly isDual: boolean;
}

/** Everything edgeward itself listens on. */
export function doorsOf({ listen }: Pick<FileInput, "listen">): Door[] {
  const https = listen.https?.addresses ?? [];
  return [
    ...doorsAt(["listen", "dns"], listen.dns, () => true),
    ...doorsAt(["listen", "http"], listen.http, hasTwin(listen.http)),
    ...doorsAt(["listen", "https", "addresses"], https, hasTwin(https)),
    { path: ["listen", "ops"], endpoint: listen.ops, isDual: listen.ops.host === "::" },
    ...doorsAt(["listen", "mistserver"], listen.mistserver, () => false),
  ];
}

function doorsAt(
  path: Path,
  endpoints: readonly Endpoint[],
  isForIpv6Alone: (endpoint: Endpoint) => boolean,
): Door[] {
  return endpoints.map((endpoint, i) => ({
    path: [...path, i],
    endpoint,
    isDual: endpoint.host === "::" && !isForIpv6Alone(endpoint),
  }));
}

/** Whether 0.0.0.0 is listed with the same port. */
function hasTwin(endpoints: readonly Endpoint[]): (endpoint: Endpoint) => boolean {
  return ({ port }) => endpoints.some((other) => other.host === "0.0.0.0" && other.port === port);
}

/** Whether a connection to that address and port would come back to one of our own doors. */
export function isOwnDoor(doors: readonly Endpoint[], address: Address, port: number): boolean {
  return doors.some((endpoint) => {
    const own = parseAddress(endpoint.host);
    if (own === undefined || endpoint.port !== port) return false;
    return isEverywhere(own) ? isLoopback(address) : equal(own, address);
  });
}

/** Whether a connection could be for either; ports are not looked at. */
export function overlap(a: Door, b: Door): boolean {
  const [one, other] = [parseAddress(a.endpoint.host), parseAddress(b.endpoint.host)];
  if (one === undefined || other === undefined) return false;
  if (one.family !== other.family) return a.isDual || b.isDual;
  return isEverywhere(one) || isEverywhere(other) || equal(one, other);
}

export function isLoopback({ family, bytes }: Address): boolean {
  if (family === 4) return bytes[0] === 127;
  return bytes.every((octet, i) => octet === (i === 15 ? 1 : 0));
}

/** 0.0.0.0 or ::, which stand for every address of the machine. */
function isEverywhere({ bytes }: Address): boolean {
  return bytes.every((octet) => octet === 0);
}

function equal(a: Address, b: Address): boolean {
  return a.family === b.family && a.bytes.every((octet, i) => octet === b.bytes[i]);
}
