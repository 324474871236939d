/** The hostname and port (empty where none is given) that a request is for, or why that cannot be told: a 400. */
export type Host =
  | { readonly kind: "hostname"; readonly hostname: string; readonly port: string }
  | { readonly kind: "malformed"; readonly detail: string };

/**
 * Lower case, without port and trailing dot; an IPv6 literal keeps its brackets, and so is no service's. Exactly one
 * well-formed Host field is demanded, also where the authority of an absolute-form target then replaces it (RFC
 * 9112 3.2 and 3.2.2).
 * @param rawHeaders names and values in turn, as received
 */
export function hostOf(rawHeaders: readonly string[], authority: string | undefined): Host {
  let field: string | undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name !== "host" && (name.length !== 4 || name.toLowerCase() !== "host")) continue;
    if (field !== undefined) return malformed("more than one Host field");
    field = rawHeaders[i + 1] as string;
  }
  if (field === undefined || field === "") return malformed("no Host field");
  const host = hostIn(field);
  return authority === undefined || host.kind === "malformed" ? host : hostIn(authority);
}

/** The same few come again and again. */
const known = new Map<string, Host>();
const MOST_KNOWN = 1000;
const MOST_KNOWN_LENGTH = 260;

function hostIn(hostAndPort: string): Host {
  const before = known.get(hostAndPort);
  if (before !== undefined) return before;
  const host = hostnameIn(hostAndPort);
  if (hostAndPort.length > MOST_KNOWN_LENGTH) return host;
  if (known.size === MOST_KNOWN) known.clear();
  known.set(hostAndPort, host);
  return host;
}

/** Labels of letters, digits, hyphens and underscores; an optional final dot; an optional, possibly empty, port. */
const HOSTNAME_AND_PORT = /^([\w-]+(?:\.[\w-]+)*)\.?(?::(\d{0,5}))?$/;
const IPV6_AND_PORT = /^(\[[\da-fA-F:.]+\])(?::(\d{0,5}))?$/;

function hostnameIn(hostAndPort: string): Host {
  const [, hostname, port = ""] =
    HOSTNAME_AND_PORT.exec(hostAndPort) ?? IPV6_AND_PORT.exec(hostAndPort) ?? [];
  return hostname === undefined
    ? malformed("a malformed Host")
    : { kind: "hostname", hostname: hostname.toLowerCase(), port };
}

function malformed(detail: string): Host {
  return { kind: "malformed", detail };
}
