import { addressOf } from "../base/address.ts";
import type { Family } from "../model/address.ts";
import type { Client } from "../model/client.ts";
import type { ClientSubnetRules } from "../model/service.ts";
import type { ClientSubnet, Query } from "./query.ts";

/**
 * Whom the answer is for: the client subnet if one was sent, else the packet's source. A client that sent
 * a source prefix of 0 does not want to be located, so not by its source address either (RFC 7871 7.1.2).
 * Private and special addresses are taken like any other: the databases do not know them.
 */
export function clientOf(query: Query, source: Uint8Array, rules?: ClientSubnetRules): Client {
  if (!query.subnet.isPresent || rules?.isEnabled === false) return ofSource(source);
  return query.subnet.sourcePrefixLength === 0 ? UNLOCATED : ofSubnet(query.subnet);
}

/** The decision's scope in the family that was asked in; 0 where the client was not looked at. */
export function scopeFor({ subnet }: Query, scopePrefixLength: number, rules?: ClientSubnetRules): number {
  if (!subnet.isPresent || subnet.sourcePrefixLength === 0 || rules?.isEnabled === false) return 0;
  const isIpv4 = subnet.family === 1 || isMapped(subnet);
  const scope = boundedScope(scopePrefixLength, isIpv4 ? 4 : 6, rules);
  return isIpv4 && subnet.family === 2 ? scope + MAPPED_BITS : scope;
}

/** Within the bounds that the service sets. */
export function boundedScope(
  scopePrefixLength: number,
  family: Family,
  rules: ClientSubnetRules | undefined,
): number {
  const { min, max } = rules?.scope[family] ?? (family === 4 ? IPV4_SCOPES : IPV6_SCOPES);
  return Math.min(Math.max(scopePrefixLength, min), max);
}

const IPV4_SCOPES = { min: 0, max: 32 };
const IPV6_SCOPES = { min: 0, max: 128 };

/** `::ffff:0:0/96` (RFC 4291 2.5.5.2) */
const MAPPED_BITS = 96;

const UNLOCATED: Client = {
  address: { family: 4, bytes: new Uint8Array(4) },
  prefixLength: 0,
  from: "client-subnet",
};

function ofSource(source: Uint8Array): Client {
  const address = addressOf(source.slice());
  return { address, prefixLength: address.bytes.length * 8, from: "source" };
}

function ofSubnet(subnet: ClientSubnet): Client {
  const { family, sourcePrefixLength, address } = subnet;
  if (family === 1) return known(4, address.slice(0, 4), sourcePrefixLength);
  return isMapped(subnet)
    ? known(4, address.slice(12), sourcePrefixLength - MAPPED_BITS)
    : known(6, address.slice(), sourcePrefixLength);
}

function known(family: 4 | 6, bytes: Uint8Array, prefixLength: number): Client {
  return { address: { family, bytes }, prefixLength, from: "client-subnet" };
}

function isMapped({ family, sourcePrefixLength, address }: ClientSubnet): boolean {
  if (family !== 2 || sourcePrefixLength < MAPPED_BITS) return false;
  for (let i = 0; i < 10; i++) if (address[i] !== 0) return false;
  return address[10] === 0xff && address[11] === 0xff;
}
