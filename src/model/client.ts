import type { Address } from "./address.ts";

/** What a packet or a request shows of the viewer. */
export interface Client {
  /** The viewer's address as far as it is known; bits beyond `prefixLength` are zero. */
  readonly address: Address;
  /** How many bits of the address are known: 32 or 128 for a whole address, less for a client subnet. */
  readonly prefixLength: number;
  readonly from: ClientOrigin;
}

/**
 * Where the address comes from: the socket, a client-subnet option (RFC 7871), a trusted proxy's
 * header (RFC 7239), or an operator who asks `explain`.
 */
export type ClientOrigin = "source" | "client-subnet" | "forwarded" | "asked";
