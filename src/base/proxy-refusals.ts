import type { Address } from "../model/address.ts";
import type { Log } from "../model/log.ts";
import { formatAddress } from "./address.ts";

/** Says in the log whose PROXY header, or want of one, had a connection closed; at most once in a second. */
export interface ProxyRefusals {
  /** A balancer's, and why. */
  refused(peer: Address, reason: string): void;
  /** That of someone who is no balancer. */
  uncalledFor(peer: Address): void;
}

export function proxyRefusals(
  log: Pick<Log, "warn">,
  nowMs: () => number = () => performance.now(),
): ProxyRefusals {
  let lastMs = Number.NEGATIVE_INFINITY;
  const warn = (fields: object, message: string): void => {
    if (nowMs() - lastMs < 1000) return;
    lastMs = nowMs();
    log.warn(fields, message);
  };
  return {
    refused: (peer, reason) =>
      warn(
        { peer: formatAddress(peer), reason },
        "closed a connection from proxyProtocol.from: its PROXY header",
      ),
    uncalledFor: (peer) =>
      warn(
        { peer: formatAddress(peer) },
        "refused a PROXY header from a peer that is not in proxyProtocol.from",
      ),
  };
}
