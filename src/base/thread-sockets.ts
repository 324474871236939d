import type { Endpoint } from "../model/inventory.ts";
import { openWake } from "./eventfd.ts";
import type { HandedSockets, InheritedSockets } from "./inherited-sockets.ts";
import type { Libc } from "./libc.ts";
import type { Together } from "./open-together.ts";

/** What one thread answers on. Plain data. */
export interface ThreadSockets<Socket> {
  /** One for each endpoint. */
  readonly sockets: readonly Socket[];
  /** An eventfd that it waits for beside them. */
  readonly wakeFd: number;
}

/** The sockets of threads that answer alike. They belong to the process, and outlive a thread that dies. */
export interface SocketsOfThreads<Socket> {
  /** Where they really are bound, in the order asked. */
  readonly endpoints: readonly Endpoint[];
  readonly threads: readonly ThreadSockets<Socket>[];
  /** For the process that replaces this one. */
  readonly handed: readonly HandedSockets[];
  /** To be called when no thread uses them any more. */
  readonly close: () => void;
}

export interface ThreadSocketsOptions<Socket> {
  /** What they are handed on as. */
  readonly use: string;
  readonly endpoints: readonly Endpoint[];
  /** How many threads; where more sockets are inherited, there are more: none may be left unread. */
  readonly fewest: number;
  readonly inherited: InheritedSockets;
  /**
   * Has so many sockets at one address, `fds` among them, which are bound there already; throws an Error of one line
   * where they cannot be had, none being left open.
   */
  readonly open: (endpoint: Endpoint, count: number, fds: readonly number[]) => Together<Socket>;
}

/**
 * Binds each endpoint as often as there are threads.
 * @throws what `open` throws; then no socket is left open
 */
export function openThreadSockets<Socket extends { readonly fd: number }>(
  libc: Libc,
  { use, endpoints, fewest, inherited, open }: ThreadSocketsOptions<Socket>,
): SocketsOfThreads<Socket> {
  const bound = endpoints.map((endpoint) => inherited.take(use, endpoint));
  const threadCount = Math.max(fewest, ...bound.map(({ length }) => length));
  const closing: number[] = [];
  const close = (): void => closing.splice(0).forEach((fd) => libc.close(fd));
  try {
    const groups = endpoints.map((endpoint, i) => {
      const group = open(endpoint, threadCount, bound[i] ?? []);
      closing.push(...group.sockets.map(({ fd }) => fd));
      return group;
    });
    const threads = Array.from({ length: threadCount }, (_, i): ThreadSockets<Socket> => {
      const wakeFd = openWake(libc);
      closing.push(wakeFd);
      return { sockets: groups.map(({ sockets }) => sockets[i] as Socket), wakeFd };
    });
    return {
      endpoints: groups.map(({ endpoint }) => endpoint),
      threads,
      handed: groups.map((group) => handedOn(use, group)),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

export function handedOn(use: string, { asked, sockets }: Together<{ readonly fd: number }>): HandedSockets {
  return { use, asked, fds: sockets.map(({ fd }) => fd) };
}
