import type { Endpoint } from "../model/inventory.ts";
import type { Transport } from "./counters.ts";

/** A socket that answers, and how to close it. */
export interface Listener {
  /** Where it really listens. */
  readonly endpoint: Endpoint;
  stop(): Promise<void>;
}

/** Why an address could not be listened on, in one line for the operator. */
export function listenError(endpoint: Endpoint, transport: Transport, cause: NodeJS.ErrnoException): Error {
  const where = `${formatEndpoint(endpoint)} (${transport.toUpperCase()})`;
  const error = new Error(`cannot listen for DNS on ${where}: ${reasonOf(cause)}`, { cause });
  return Object.assign(error, { code: cause.code });
}

export function formatEndpoint({ host, port }: Endpoint): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case "EADDRINUSE":
      return "another program listens there (EADDRINUSE)";
    case "EACCES":
      return "not permitted (EACCES); a port below 1024 needs the capability CAP_NET_BIND_SERVICE";
    case "EADDRNOTAVAIL":
      return "this machine does not have the address (EADDRNOTAVAIL)";
    case "EAFNOSUPPORT":
      return "this machine does not have the address family (EAFNOSUPPORT)";
    default:
      return message;
  }
}
