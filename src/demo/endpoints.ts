import { networkInterfaces } from "node:os";
import type { Endpoint, Inventory } from "../model/inventory.ts";

/**
 * Listens on `[::1]` only where the machine has that address: many containers have no IPv6, and the configuration that
 * newcomers try names it beside 127.0.0.1.
 * @param told of each that is left out
 */
export function withoutAbsentIpv6(
  inventory: Inventory,
  told: (endpoint: Endpoint) => void,
  addresses: ReadonlySet<string> = ownAddresses(),
): Inventory {
  const present = (endpoints: readonly Endpoint[]): readonly Endpoint[] => {
    const absent = endpoints.filter(({ host }) => host === "::1" && !addresses.has(host));
    if (absent.length === endpoints.length) return endpoints;
    absent.forEach(told);
    return endpoints.filter((endpoint) => !absent.includes(endpoint));
  };
  const { listen } = inventory;
  return { ...inventory, listen: { ...listen, dns: present(listen.dns), http: present(listen.http) } };
}

function ownAddresses(): ReadonlySet<string> {
  return new Set(
    Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address)),
  );
}
