import { setTimeout as after } from "node:timers/promises";
import { createBusyShare } from "./base/busy.ts";
import { closeSockets, type InheritedSockets } from "./base/inherited-sockets.ts";
import { keepNewcomersOut } from "./base/newcomers.ts";
import { UDP_USE } from "./dns/socket.ts";
import type { Drains } from "./draining/drains.ts";
import type { DecisionWatch } from "./engine/decision-samples.ts";
import type { Experience } from "./experience/experience.ts";
import type { Decide } from "./model/decision.ts";
import type { Edge } from "./model/edge.ts";
import { createSteering, type Draining } from "./steering/steering.ts";
import { type DnsThreads, type DnsThreadsOptions, startDnsThreads } from "./threads/dns-threads.ts";
import { type HttpThreads, startHttpThreads } from "./threads/http-threads.ts";

export interface ViewersDoorsOptions {
  /** What the threads of both doors begin with. */
  readonly begin: Pick<DnsThreadsOptions, "inventory" | "world" | "follow" | "geo" | "decisions" | "log"> & {
    readonly decisionWatch: DecisionWatch;
    readonly inherited: InheritedSockets;
  };
  readonly cookieSecret: Uint8Array;
  readonly decide: Decide;
  /** Those of now: what is steered to may have been reloaded since. */
  readonly edges: () => readonly Edge[];
  readonly drains: Drains;
  readonly experience: Pick<Experience, "steering" | "cmcd">;
  /** How long the DNS door waits for clients when it stops; undefined: as usual. */
  readonly graceMs: () => number | undefined;
  /** Given a way to stop for each door that is open. */
  readonly onStop: (stop: () => unknown) => void;
}

export interface ViewersDoors {
  readonly dns: DnsThreads;
  readonly http: HttpThreads;
}

/** DNS first, then HTTP; inherited sockets that neither wants are closed. */
export async function openViewersDoors(options: ViewersDoorsOptions): Promise<ViewersDoors> {
  const { begin, cookieSecret, decide, edges, drains, experience, graceMs, onStop } = options;
  const { inventory, inherited, log } = begin;
  const steer = createSteering({
    draining: drainingNow(drains),
    decide,
    edges,
    log,
    busy: createBusyShare(),
    onReport: (report, client) => experience.steering(report, client.address),
  });
  const dns = await startDnsThreads({ ...begin, endpoints: inventory.listen.dns, cookieSecret });
  onStop(() => dns.stop(graceMs()));
  const http = await startHttpThreads({
    ...begin,
    endpoints: inventory.listen.http,
    decide,
    steer,
    hear: (service, client, body) => experience.cmcd(service, client.address, body),
  });
  onStop(() => http.stop());
  closeSockets(inherited.rest());
  return { dns, http };
}

/**
 * For doors that are about to close for good: nobody new connects, and who is about to has the time for it. Resolves
 * when they may be closed.
 */
export async function closeToNewcomers(doors: Partial<ViewersDoors>): Promise<void> {
  const handed = [...(doors.dns?.handed ?? []), ...(doors.http?.handed ?? [])];
  const listening = handed.filter(({ use }) => use !== UDP_USE).flatMap(({ fds }) => fds);
  if (listening.length === 0) return;
  keepNewcomersOut(listening);
  await after(HANDSHAKE_MS);
}

/** There and back again to nearly everywhere. */
const HANDSHAKE_MS = 200;

function drainingNow(drains: Drains): Draining {
  return {
    seen: (edgeId, lot) => drains.seen(edgeId, lot, performance.now()),
    isToLeave: (edgeId, lot) => drains.isToLeave(edgeId, lot),
    isHasty: (ids) => drains.isHasty(ids, performance.now()),
  };
}
