import { formatAddress } from "../base/address.ts";
import type { Edge } from "../model/edge.ts";

/** Of its url, or its first address. */
export function hostOf({ url, addresses }: Edge): string | undefined {
  if (url !== undefined) return new URL(url).hostname;
  const [first] = addresses;
  if (first === undefined) return undefined;
  return first.family === 6 ? `[${formatAddress(first)}]` : formatAddress(first);
}
