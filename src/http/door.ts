import { closeSync } from "node:fs";
import { Socket } from "node:net";
import { hasIpv4Twin } from "../base/endpoint.ts";
import type { Proxied } from "../base/proxy-header.ts";
import { proxyRefusals } from "../base/proxy-refusals.ts";
import type { Decide } from "../model/decision.ts";
import type { Endpoint } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource } from "../model/metrics.ts";
import type { Steer } from "../model/steering.ts";
import type { Certificates } from "./certificates.ts";
import { endSlowly } from "./client-error.ts";
import type { HearPlayers } from "./cmcd.ts";
import { type CountedIn, createCounts, httpMetrics, newCountedIn } from "./counts.ts";
import { createHttp1 } from "./http1.ts";
import { createHttp2 } from "./http2.ts";
import { createHttpsListener, type HttpsEvents, type HttpsListener } from "./https.ts";
import { DEFAULT_LIMITS, type HttpLimits } from "./limits.ts";
import { createFoster, createListener } from "./listener.ts";
import { createProxied } from "./proxied.ts";
import { createResponder, type DoorInventory } from "./respond.ts";
import { respondSafely } from "./respond-safely.ts";

export interface HttpDoorOptions extends DoorInventory {
  readonly endpoints: readonly Endpoint[];
  readonly https?: HttpsOptions;
  readonly decide: Decide;
  readonly steer: Steer;
  /** What players report; left out: nobody listens. */
  readonly hear?: HearPlayers;
  readonly log: Log;
  readonly limits?: Partial<HttpLimits>;
  /** Where to count; of its own if left out. */
  readonly counted?: CountedIn;
  /** Wall clock, milliseconds since 1970. */
  readonly nowMs?: () => number;
}

export interface HttpsOptions {
  readonly endpoints: readonly Endpoint[];
  readonly certificates: Certificates;
  /** Sockets that listen there, which are the door's from now on; left out or empty: it opens its own. */
  readonly fds?: readonly number[];
}

export interface HttpDoor {
  /** As bound: port 0 is replaced by the one that the system chose. */
  readonly endpoints: readonly Endpoint[];
  readonly httpsEndpoints: readonly Endpoint[];
  readonly metrics: MetricSource;
  /** For a new configuration, in the same turn in which `decide` got it. */
  readonly take: (inventory: DoorInventory) => void;
  /** Serves the certificates as they are now to whoever comes from now on. */
  readonly renewCertificates: () => void;
  /** Serves a connection that someone else accepted. */
  readonly adopt: (adopted: Adopted) => void;
  /** Accepts no one new, answers what has arrived, and closes. */
  readonly stop: () => Promise<void>;
}

/** A connection that someone else accepted, read from, and maybe answered on. */
export interface Adopted {
  /** Its descriptor, which is ours from now on. */
  readonly fd: number;
  /** Octets that were read and not answered. */
  readonly input: Uint8Array;
  /** Octets of answers that the client has not taken yet. */
  readonly unsent: Uint8Array;
  /** Whether the last answer said that it closes. */
  readonly isEnding: boolean;
  /** As its PROXY header told; left out: there was none. */
  readonly proxied?: Proxied;
}

/**
 * Opens the viewers' HTTP door.
 *
 * ```
 * viewer ─┬─► node:http ──► http1 ─┬─► respond ─► decide
 *         └─► node:http2 ─► http2 ─┘                 │
 *                                                    └─► answer: 302 · 307 · 204 · 200 · 4xx · 503
 * ```
 *
 * @throws if an endpoint cannot be bound, with the address and the reason; then none stays open
 */
export async function startHttpDoor(options: HttpDoorOptions): Promise<HttpDoor> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const counted = options.counted ?? newCountedIn();
  const counts = createCounts(counted);
  const responder = createResponder({ ...options, ...limits });
  const respond = respondSafely(responder.respond, options.log);
  const connections = createProxied({
    ...options,
    timeoutMs: limits.proxyHeaderTimeoutMs,
    onRefused: () => counts.rejected("proxy-header"),
  });
  const refusals = proxyRefusals(options.log);
  const http1 = createHttp1({ respond, connections, refusals, counts, limits });
  const listeners = options.endpoints.map(() => createListener(limits, http1.events, connections.guard));
  const foster = createFoster(limits, http1.events);
  const https = createHttpsListeners(options.https, limits, {
    http1: (socket) => foster.take(socket, NOTHING),
    http2: createHttp2({ respond, connections, counts }),
    failed: () => counts.rejected("tls"),
    guard: connections.guard,
  });

  const stop = async (): Promise<void> => {
    http1.stop();
    connections.stop();
    const closing = [...listeners, foster, ...https];
    await Promise.all(closing.map(async ({ close }) => await close(limits.stopGraceMs)));
  };
  const adopt = ({ fd, input, unsent, isEnding, proxied }: Adopted): void => {
    const socket = new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
    if (proxied !== undefined) connections.note(socket, proxied);
    if (input.length > 0) http1.begun(socket);
    if (unsent.length > 0) socket.write(unsent);
    if (isEnding) endSlowly(socket, limits.lingerMs);
    else foster.take(socket, input);
  };

  const openAll = async (): Promise<readonly PromiseSettledResult<Endpoint>[]> => {
    const { endpoints } = options;
    const { endpoints: encrypted = [], fds = [] } = options.https ?? {};
    return await Promise.allSettled([
      ...listeners.map(async (listener, i) => {
        const endpoint = endpoints[i] as Endpoint;
        return await listener.open(endpoint, hasIpv4Twin(endpoint, endpoints));
      }),
      ...https.map(async (listener, i) => {
        const endpoint = encrypted[i] as Endpoint;
        return await listener.open({ endpoint, ipv6Only: hasIpv4Twin(endpoint, encrypted), fd: fds[i] });
      }),
    ]);
  };
  const opened = await openAll();
  const failed = opened.find((one) => one.status === "rejected");
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  const endpoints = opened.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  return {
    endpoints: endpoints.slice(0, listeners.length),
    httpsEndpoints: endpoints.slice(listeners.length),
    renewCertificates: () => https.forEach(({ renew }) => renew()),
    metrics: () => httpMetrics([counted]),
    take(inventory) {
      responder.take(inventory);
      connections.take(inventory);
    },
    adopt,
    stop,
  };
}

const NOTHING = new Uint8Array();

/** @throws what a listener cannot be made for; then the sockets that were to be its own are closed */
function createHttpsListeners(
  https: HttpsOptions | undefined,
  limits: HttpLimits,
  events: HttpsEvents,
): readonly HttpsListener[] {
  if (https === undefined) return [];
  try {
    return https.endpoints.map(() => createHttpsListener(https.certificates, limits, events));
  } catch (error) {
    for (const fd of https.fds ?? []) closeSync(fd);
    throw error;
  }
}
