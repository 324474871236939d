import { cannotListen, formatEndpoint } from "../base/endpoint.ts";
import type { Libc } from "../base/libc.ts";
import { openListener } from "../base/listener.ts";
import { openTogether, type Together } from "../base/open-together.ts";
import type { Endpoint } from "../model/inventory.ts";

/** A listening socket; plain data, so that a thread can be told of it: descriptors belong to the process. */
export interface ListeningSocket {
  readonly fd: number;
  readonly family: 4 | 6;
}

/** The sockets of one address; the system shares its connections out among them. */
export type ListeningGroup = Together<ListeningSocket>;

export interface Listening {
  /** For the operator, where it cannot be had. */
  readonly scheme: "HTTP" | "HTTPS";
  readonly endpoint: Endpoint;
  /** How many sockets, for as many threads; those that are inherited count. */
  readonly count: number;
  /** Whether `::` leaves IPv4 to others. */
  readonly ipv6Only: boolean;
  /** Descriptors that listen there already. */
  readonly inherited: readonly number[];
}

/**
 * Binds sockets to one address (SO_REUSEPORT), and listens.
 * @throws an Error of one line if it cannot be listened on; then none is left open
 */
export function listenTogether(libc: Libc, listening: Listening): ListeningGroup {
  const { scheme, endpoint, count, ipv6Only, inherited } = listening;
  const family = familyOf(endpoint);
  const failure = (cause: NodeJS.ErrnoException): Error =>
    cannotListen(scheme, formatEndpoint(endpoint), cause);
  return openTogether(libc, {
    endpoint,
    count,
    inherited: inherited.map((fd) => ({ fd, family })),
    open(at, isShared) {
      const options = { ipv6Only, isShared, isUndelayed: false, backlog: BACKLOG, failure };
      return { fd: openListener(libc, at, options), family };
    },
  });
}

function familyOf({ host }: Endpoint): 4 | 6 {
  return host.includes(":") ? 6 : 4;
}

/** How many may wait to be accepted, unless the system allows fewer (`somaxconn`). */
export const BACKLOG = 4096;
