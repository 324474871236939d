import { hasIpv4Twin } from "../base/endpoint.ts";
import { openWake } from "../base/eventfd.ts";
import type { HandedSockets, InheritedSockets } from "../base/inherited-sockets.ts";
import type { Libc, LibcResult } from "../base/libc.ts";
import type { Endpoint } from "../model/inventory.ts";
import { type Listening, type ListeningGroup, type ListeningSocket, listenTogether } from "./sockets.ts";

export interface HttpSockets {
  /** Where they really listen, in the order asked. */
  readonly endpoints: readonly Endpoint[];
  readonly handed: readonly HandedSockets[];
  readonly threads: readonly ThreadSockets[];
  /** To be called when the threads have ended. */
  readonly close: () => void;
}

/** Of one thread: one for each endpoint. */
export interface ThreadSockets {
  readonly sockets: readonly ListeningSocket[];
  /** An eventfd. */
  readonly wakeFd: number;
}

/** Binds each endpoint as often as there are threads; where more sockets are inherited, there are more. */
export function openSockets(
  libc: Libc,
  endpoints: readonly Endpoint[],
  fewest: number,
  inheritance: InheritedSockets,
): HttpSockets {
  const closing: number[] = [];
  const close = (): void => closing.splice(0).forEach((fd) => libc.close(fd));
  const bound = endpoints.map((endpoint) => inheritance.take(HTTP_USE, endpoint));
  const threadCount = Math.max(fewest, ...bound.map(({ length }) => length));
  try {
    const groups = endpoints.map((endpoint, i): ListeningGroup => {
      const ipv6Only = hasIpv4Twin(endpoint, endpoints);
      const inherited = bound[i] ?? [];
      const listening: Listening = { scheme: "HTTP", endpoint, count: threadCount, ipv6Only, inherited };
      const group = listenTogether(libc, listening);
      closing.push(...group.sockets.map(({ fd }) => fd));
      return group;
    });
    const threads = Array.from({ length: threadCount }, (_, i): ThreadSockets => {
      const wakeFd = openWake(libc);
      closing.push(wakeFd);
      return { sockets: groups.map(({ sockets }) => sockets[i] as ListeningSocket), wakeFd };
    });
    const handed = groups.map((group) => handedOf(HTTP_USE, group));
    return { endpoints: groups.map(({ endpoint }) => endpoint), handed, threads, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Sockets for TLS, one for each endpoint, which node:tls listens on; none where it is to open its own. */
export function openEncryptedSockets(
  libc: LibcResult,
  endpoints: readonly Endpoint[],
  inheritance: InheritedSockets,
): { readonly fds: readonly number[]; readonly handed: readonly HandedSockets[] } {
  if (libc.kind === "unavailable") return { fds: [], handed: [] };
  const groups: ListeningGroup[] = [];
  try {
    for (const endpoint of endpoints) {
      const ipv6Only = hasIpv4Twin(endpoint, endpoints);
      const fds = inheritance.take(HTTPS_USE, endpoint);
      const listening: Listening = { scheme: "HTTPS", endpoint, count: 1, ipv6Only, inherited: fds };
      groups.push(listenTogether(libc.libc, listening));
    }
  } catch (error) {
    for (const { sockets } of groups) for (const { fd } of sockets) libc.libc.close(fd);
    throw error;
  }
  return {
    fds: groups.flatMap(({ sockets }) => sockets.map(({ fd }) => fd)),
    handed: groups.map((group) => handedOf(HTTPS_USE, group)),
  };
}

function handedOf(use: string, { asked, sockets }: ListeningGroup): HandedSockets {
  return { use, asked, fds: sockets.map(({ fd }) => fd) };
}

const HTTP_USE = "http";
const HTTPS_USE = "https";
