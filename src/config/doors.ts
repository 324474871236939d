import { parseAddress } from "../base/address.ts";
import type { Address } from "../model/address.ts";
import type { Endpoint } from "../model/inventory.ts";
import type { FileInput } from "./schema.ts";
import type { Path } from "./tree.ts";

export interface Door {
  readonly path: Path;
  readonly endpoint: Endpoint;
}

/** Everything edgeward itself listens on. */
export function doorsOf({ listen }: Pick<FileInput, "listen">): Door[] {
  const many = (name: "dns" | "http" | "mistserver") =>
    listen[name].map((endpoint, i) => ({ path: ["listen", name, i], endpoint }));
  const https = (listen.https?.addresses ?? []).map((endpoint, i) => ({
    path: ["listen", "https", "addresses", i],
    endpoint,
  }));
  const ops = { path: ["listen", "ops"], endpoint: listen.ops };
  return [...many("dns"), ...many("http"), ...https, ops, ...many("mistserver")];
}

/** Whether a connection to that address and port would come back to one of our own doors. */
export function isOwnDoor(doors: readonly Endpoint[], address: Address, port: number): boolean {
  return doors.some((endpoint) => {
    const own = parseAddress(endpoint.host);
    if (own === undefined || endpoint.port !== port) return false;
    return isEverywhere(own) ? isLoopback(address) : equal(own, address);
  });
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
