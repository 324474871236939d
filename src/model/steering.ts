import type { Client } from "./client.ts";
import type { Service } from "./service.ts";

/** What a player asks at a service's steering address. */
export interface SteeringCall {
  /** The one that the address belongs to. */
  readonly service: Service;
  /** Lower case, no trailing dot, no port. */
  readonly hostname: string;
  readonly client: Client;
  /** What stands behind the address names the stream, as a request for it would; left out: nothing does. */
  readonly path?: string;
  /** Empty, or starts with `?`; as sent. */
  readonly query: string;
  /** Absolute, as the player knows it; without a query. */
  readonly address: string;
}

/**
 * The manifest, JSON for HLS and DASH alike; `undefined`: the service has ended steering, and players are to go on
 * without. Never throws: a player that gets no manifest may stop for good.
 */
export type Steer = (call: SteeringCall) => string | undefined;
