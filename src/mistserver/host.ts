import { formatAddress } from "../base/address.ts";
import { isDown } from "../base/down-addresses.ts";
import type { Address, Family } from "../model/address.ts";
import type { Choice } from "../model/decision.ts";
import type { Edge } from "../model/edge.ts";

/** Of its url, or its first address. */
export function hostOf({ url, addresses }: Edge): string | undefined {
  return url === undefined ? written(addresses[0]) : new URL(url).hostname;
}

/** For who comes over a family: of its url, or the first address that is up, of that family if one is. */
export function hostFor({ edge, downAddresses = 0 }: Choice, family: Family): string | undefined {
  const { url, addresses } = edge;
  if (url !== undefined) return hostOf(edge);
  const up = addresses.filter((_, i) => !isDown(downAddresses, i));
  return written(up.find((address) => address.family === family) ?? up[0] ?? addresses[0]);
}

function written(address: Address | undefined): string | undefined {
  if (address === undefined) return undefined;
  return address.family === 6 ? `[${formatAddress(address)}]` : formatAddress(address);
}
