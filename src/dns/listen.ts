import { cannotListen, formatEndpoint } from "../base/endpoint.ts";
import type { Endpoint } from "../model/inventory.ts";
import type { Transport } from "./counters.ts";

/** A socket that answers, and how to close it. */
export interface Listener {
  /** Where it really listens. */
  readonly endpoint: Endpoint;
  stop(): Promise<void>;
}

/** A query has no reason to be longer; of a longer datagram this much is read. */
export const MAX_DATAGRAM_OCTETS = 4096;

/** Room for what comes in while a thread is busy; the system grants what it allows. */
export const RECEIVE_BUFFER_OCTETS = 8 << 20;

/** How many TCP connections may wait to be accepted; the system grants what it allows. */
export const BACKLOG = 1024;

/** Why an address could not be listened on, in one line for the operator. */
export function listenError(endpoint: Endpoint, transport: Transport, cause: NodeJS.ErrnoException): Error {
  return cannotListen("DNS", `${formatEndpoint(endpoint)} (${transport.toUpperCase()})`, cause);
}

/** How often the system may choose a UDP port that is taken for TCP. */
export const PORT_ATTEMPTS = 20;

/** Whether another attempt may find a port that is free for both transports. */
export function isPortToChoose({ port }: Endpoint, error: unknown): boolean {
  return port === 0 && (error as NodeJS.ErrnoException).code === "EADDRINUSE";
}
