import { networkInterfaces } from "node:os";
import type { Address, Prefix } from "../model/address.ts";
import type { Endpoint, Inventory } from "../model/inventory.ts";
import { contains, formatAddress, parseAddress, parsePrefix } from "./address.ts";
import { createLookups, type Lookup } from "./lookup.ts";

/** Where probes and load pulls may connect. */
export interface Reach {
  /** Allowed although refused by default. */
  readonly allowed: readonly Prefix[];
  /** Our own listeners. */
  readonly own: readonly Endpoint[];
}

export type Refusal =
  | "link-local"
  | "multicast"
  | "unspecified"
  | "broadcast"
  /** A cloud's metadata service, outside the link-local networks. */
  | "metadata"
  /** Only of addresses that a name resolved to: */
  | "loopback"
  | "own-listener";

export function reachOf(inventory: Pick<Inventory, "allowedProbeNetworks" | "listen">): Reach {
  const { dns, http, ops, mistserver = [] } = inventory.listen;
  return { allowed: inventory.allowedProbeNetworks, own: [...dns, ...http, ops, ...mistserver] };
}

/** Why an address that the operator wrote must not be connected to; undefined when it may. */
export function refusalOfWritten(address: Address, reach: Reach): Refusal | undefined {
  if (reach.allowed.some((prefix) => contains(prefix, address))) return undefined;
  return NEVER.find(({ prefix }) => contains(prefix, address))?.refusal;
}

/** The same for an address that a name resolved to: whoever runs that name's DNS must not reach our inside. */
export function refusalOfResolved(address: Address, port: number, reach: Reach): Refusal | undefined {
  if (reach.allowed.some((prefix) => contains(prefix, address))) return undefined;
  const written = refusalOfWritten(address, reach);
  if (written !== undefined) return written;
  if (isLoopback(address)) return "loopback";
  return reach.own.some((endpoint) => isOwn(endpoint, address, port)) ? "own-listener" : undefined;
}

/** Whether it is an address of this machine alone. */
export function isLoopback(address: Address): boolean {
  return LOOPBACK.some((prefix) => contains(prefix, address));
}

export type Resolved =
  | { readonly kind: "addresses"; readonly addresses: readonly Address[] }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "not-found"; readonly code: string };

/** The addresses of a hostname (a name, or a literal with or without brackets) that may be connected to. */
export async function resolveReachable(
  hostname: string,
  port: number,
  reach: Reach,
  lookup: Lookup = lookupAll,
): Promise<Resolved> {
  const literal = parseAddress(hostname.replace(/^\[(.*)\]$/, "$1"));
  if (literal !== undefined) return sifted([literal], (address) => refusalOfWritten(address, reach));
  try {
    const found = (await lookup(hostname)).map(parseAddress).filter((address) => address !== undefined);
    return sifted(found, (address) => refusalOfResolved(address, port, reach));
  } catch (error) {
    return { kind: "not-found", code: (error as NodeJS.ErrnoException).code ?? "ENOTFOUND" };
  }
}

/** One for the process, since all look-ups of a process share their threads. */
const lookupAll = createLookups();

function sifted(found: readonly Address[], refusalOf: (address: Address) => Refusal | undefined): Resolved {
  const addresses = found.filter((address) => refusalOf(address) === undefined);
  if (addresses.length > 0) return { kind: "addresses", addresses };
  const refusal = found.map(refusalOf).find((refusal) => refusal !== undefined);
  return refusal === undefined ? { kind: "not-found", code: "ENODATA" } : { kind: "refused", refusal };
}

function isOwn(endpoint: Endpoint, address: Address, port: number): boolean {
  if (endpoint.port !== port) return false;
  const text = formatAddress(address);
  const listensOn = parseAddress(endpoint.host);
  if (listensOn === undefined) return false;
  const isWildcard = listensOn.bytes.every((octet) => octet === 0);
  return isWildcard ? localAddresses().includes(text) : formatAddress(listensOn) === text;
}

function localAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}

const NEVER: readonly { readonly prefix: Prefix; readonly refusal: Refusal }[] = [
  never("0.0.0.0/8", "unspecified"),
  never("169.254.0.0/16", "link-local"),
  never("224.0.0.0/4", "multicast"),
  never("255.255.255.255", "broadcast"),
  never("100.100.100.200", "metadata"),
  never("168.63.129.16", "metadata"),
  never("fd00:ec2::254", "metadata"),
  never("fd20:ce::254", "metadata"),
  never("::", "unspecified"),
  never("fe80::/10", "link-local"),
  never("ff00::/8", "multicast"),
  // The link-local network behind NAT64 (RFC 6052 2.1): where clouds keep their metadata service.
  never("64:ff9b::a9fe:0/112", "link-local"),
];

const LOOPBACK: readonly Prefix[] = [known("127.0.0.0/8"), known("::1")];

function never(text: string, refusal: Refusal): { prefix: Prefix; refusal: Refusal } {
  return { prefix: known(text), refusal };
}

function known(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new Error(`not a prefix: ${text}`);
  return prefix;
}
