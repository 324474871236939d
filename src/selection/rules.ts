import type { Client } from "../model/client.ts";
import type { Located } from "../model/location.ts";
import type { Service } from "../model/service.ts";
import type { ViewerRule } from "../model/viewer-rule.ts";

/** Whether a service serves a viewer, and how many leading bits of the client's address that depended on. */
export interface Admission {
  readonly allowed: boolean;
  readonly prefixLength: number;
}

/**
 * `deny` wins over `allow`. A viewer whose country, continent or network is unknown matches no entry:
 * an allow list keeps him out, a deny list lets him in.
 */
export function admit(service: Service, client: Client, located: Located): Admission {
  const { allow, deny } = service;
  const allowed = (!allow || matches(allow, client, located)) && !(deny && matches(deny, client, located));
  const prefixLength = Math.max(
    located.prefixLength,
    allow ? networksDepth(allow, client) : 0,
    deny ? networksDepth(deny, client) : 0,
  );
  return { allowed, prefixLength };
}

/** Whether any entry of the rule is true of the viewer. */
export function matches(rule: ViewerRule, client: Client, { location, asn }: Located): boolean {
  return (
    (location.country !== undefined && rule.countries.includes(location.country)) ||
    (location.continent !== undefined && rule.continents.includes(location.continent)) ||
    (asn !== undefined && rule.asns.includes(asn)) ||
    rule.networks.some(
      (network) =>
        network.length <= client.prefixLength && sharedBits(network.bytes, client) >= network.length,
    )
  );
}

/** The shortest prefix of the client within which every address matches the same networks. */
export function networksDepth(rule: ViewerRule, client: Client): number {
  let depth = 0;
  for (const { family, bytes, length } of rule.networks) {
    if (family !== client.address.family) continue;
    depth = Math.max(depth, Math.min(length, sharedBits(bytes, client) + 1));
  }
  return depth;
}

/** Leading bits that a network and the client have in common; 0 across families. */
function sharedBits(network: Uint8Array, client: Client): number {
  const { bytes } = client.address;
  if (bytes.length !== network.length) return -1;
  for (let i = 0; i < bytes.length; i++) {
    const difference = (bytes[i] as number) ^ (network[i] as number);
    if (difference !== 0) return i * 8 + Math.clz32(difference) - 24;
  }
  return bytes.length * 8;
}
