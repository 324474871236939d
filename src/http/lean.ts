import type { Address } from "../model/address.ts";
import type { Decide } from "../model/decision.ts";
import type { Log } from "../model/log.ts";
import type { Answer } from "./answer.ts";
import type { HeaderFields } from "./client-address.ts";
import type { Counts } from "./counts.ts";
import type { HttpLimits } from "./limits.ts";
import { createResponder, type DoorInventory } from "./respond.ts";
import { respondSafely } from "./respond-safely.ts";

/** The part of the door that threads take off it: answers to requests that end with their header. */
export interface LeanResponder {
  /** `undefined`: it is for the door itself. */
  readonly respond: (request: LeanRequest, peer: Address, isEncrypted?: boolean) => Answer | undefined;
  readonly take: (inventory: DoorInventory) => void;
}

export interface LeanRequest {
  readonly method: string;
  readonly target: string;
  /** Of the fields named in `LEAN_FIELDS`. */
  readonly rawHeaders: readonly string[];
  readonly headers: HeaderFields;
  /** Of all fields. */
  readonly fieldCount: number;
}

/** The only header fields, in lower case, that an answer depends on. */
export const LEAN_FIELDS: readonly string[] = [
  "host",
  "accept",
  "access-control-request-headers",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-proto",
];

export interface LeanOptions extends DoorInventory {
  readonly decide: Decide;
  readonly log: Log;
  readonly limits: HttpLimits;
  readonly counts: Counts;
}

export function createLeanResponder(options: LeanOptions): LeanResponder {
  const { counts, log, limits } = options;
  const responder = createResponder({ ...options, ...limits, steer: () => undefined });
  const respond = respondSafely(responder.respond, log);
  return {
    take: responder.take,
    respond(request, peer, isEncrypted = false) {
      const { method, target, rawHeaders, headers, fieldCount } = request;
      // Paths of our own, steering above all, are answered where all is known of who plays.
      if (target.includes("/.edgeward")) return undefined;
      const startMs = performance.now();
      const asked = { method, target, rawHeaders, headers, fieldCount, peer, isEncrypted };
      const { answer, serviceId, rejected } = respond(asked);
      if (rejected !== undefined) counts.rejected(rejected);
      counts.answered(answer.status, serviceId, (performance.now() - startMs) / 1000);
      return answer;
    },
  };
}
