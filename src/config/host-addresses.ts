import type { Address } from "../model/address.ts";
import { contains, parsePrefix } from "../base/address.ts";
import { VALUE } from "./reading.ts";
import type { Report } from "./report.ts";

/** Tells of addresses that DNS would answer, and no viewer could connect to. */
export function checkHosts(addresses: readonly Address[], report: Report): void {
  addresses.forEach((address, i) => {
    if (NO_HOST.some((prefix) => contains(prefix, address)))
      report(["addresses", i], `${VALUE} is no host's address; write one that viewers can connect to`);
  });
}

/** Unspecified, multicast, broadcast. */
const NO_HOST = ["0.0.0.0/8", "224.0.0.0/4", "255.255.255.255", "::", "ff00::/8"].flatMap(
  (text) => parsePrefix(text) ?? [],
);
