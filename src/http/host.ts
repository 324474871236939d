import { isIPv6 } from "node:net";
import type { Service } from "../model/service.ts";

/** The hostname a request is for, or why there is none. */
export type Host =
  | { readonly kind: "hostname"; readonly hostname: string }
  | { readonly kind: "refused"; readonly status: 400 | 421; readonly detail: string };

/**
 * Lower case, without port and trailing dot. Exactly one well-formed Host field is demanded, also where the authority of an
 * absolute-form target then replaces it (RFC 9112 3.2 and 3.2.2).
 * @param rawHeaders names and values in turn, as received
 */
export function hostOf(rawHeaders: readonly string[], authority: string | undefined): Host {
  let field: string | undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length !== 4 || name.toLowerCase() !== "host") continue;
    if (field !== undefined) return refused(400, "more than one Host field");
    field = rawHeaders[i + 1] as string;
  }
  if (field === undefined || field === "") return refused(400, "no Host field");
  const host = hostnameIn(field);
  if (authority === undefined || (host.kind === "refused" && host.status === 400)) return host;
  return hostnameIn(authority);
}

/** Labels of letters, digits, hyphens and underscores; an optional final dot; an optional, possibly empty, port. */
const HOSTNAME_AND_PORT = /^([\w-]+(?:\.[\w-]+)*)\.?(?::\d{0,5})?$/;
const IPV6_AND_PORT = /^\[([\da-fA-F:.]+)\](?::\d{0,5})?$/;

function hostnameIn(hostAndPort: string): Host {
  const hostname = HOSTNAME_AND_PORT.exec(hostAndPort)?.[1];
  if (hostname !== undefined) return { kind: "hostname", hostname: hostname.toLowerCase() };
  const ipv6 = IPV6_AND_PORT.exec(hostAndPort)?.[1];
  return ipv6 !== undefined && isIPv6(ipv6) ? NOT_SERVED : refused(400, "a malformed Host");
}

function refused(status: 400 | 421, detail: string): Host {
  return { kind: "refused", status, detail };
}

const NOT_SERVED = refused(421, "no service has this hostname");

/** Finds the service that a hostname belongs to, by exact name or by a wildcard above it. */
export function hostnamesOf(services: readonly Service[]): (hostname: string) => Service | undefined {
  const byName = new Map<string, Service>();
  for (const service of services) for (const hostname of service.hostnames) byName.set(hostname, service);
  return (hostname) => {
    let service = byName.get(hostname);
    for (let dot = hostname.indexOf("."); service === undefined && dot >= 0; ) {
      service = byName.get(`*${hostname.slice(dot)}`);
      dot = hostname.indexOf(".", dot + 1);
    }
    return service;
  };
}
