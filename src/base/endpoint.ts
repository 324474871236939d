import type { Endpoint } from "../model/inventory.ts";

export function formatEndpoint({ host, port }: Endpoint): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * That an address cannot be listened on, and why, in one line for the operator; with the code of its cause.
 * @param purpose what was to be answered there: `DNS`, `HTTP`
 * @param where the address, as `formatEndpoint` writes it
 */
export function cannotListen(purpose: string, where: string, cause: NodeJS.ErrnoException): Error {
  const error = new Error(`cannot listen for ${purpose} on ${where}: ${whyNotListening(cause)}`, { cause });
  return Object.assign(error, { code: cause.code });
}

function whyNotListening({ code, message }: NodeJS.ErrnoException): string {
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

/** `::` takes IPv4 too, unless IPv4 has an endpoint of its own at that port. */
export function hasIpv4Twin({ host, port }: Endpoint, endpoints: readonly Endpoint[]): boolean {
  return host === "::" && endpoints.some((other) => other.host === "0.0.0.0" && other.port === port);
}
