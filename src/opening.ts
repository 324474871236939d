import { NOTHING_INHERITED } from "./base/inherited-sockets.ts";
import type { Reloads } from "./control/reloads.ts";
import { edgesMetric } from "./control/service-edges.ts";
import { troubleMetric } from "./control/service-trouble.ts";
import { stillMetric } from "./control/still-streams.ts";
import type { ExclusiveDoors } from "./exclusive-doors.ts";
import { createEarlyWorlds } from "./early-worlds.ts";
import { takeOver } from "./handing-over.ts";
import type { Endpoint } from "./model/inventory.ts";
import type { Log } from "./model/log.ts";
import type { MetricSource } from "./model/metrics.ts";
import { answerBy, type Parts } from "./parts.ts";
import type { Predecessor } from "./succession.ts";
import { openViewersDoors, type ViewersDoors } from "./viewers-doors.ts";

export interface OpeningOptions {
  readonly parts: Parts;
  /** Given those of the doors. */
  readonly metrics: MetricSource[];
  readonly exclusive: ExclusiveDoors;
  readonly reloads: Pick<Reloads, "settled">;
  readonly predecessor: Predecessor | undefined;
  /** Of DNS cookies, 16 octets. */
  readonly cookieSecret: Uint8Array;
  readonly log: Log;
  readonly stopped: AbortSignal;
  /** How long the DNS door waits for clients when it stops, milliseconds; undefined: as usual. */
  readonly graceMs: () => number | undefined;
  /** Given a way to stop for each door of viewers that is open. */
  readonly onStop: (stop: () => unknown) => void;
}

/** Where the doors really listen. */
export interface Endpoints {
  readonly dns: readonly Endpoint[];
  readonly http: readonly Endpoint[];
  /** Absent: there is none. */
  readonly https?: readonly Endpoint[];
  readonly ops: Endpoint;
}

/**
 * Opens the viewers' doors after the first round of probes, and relieves the predecessor if there is one.
 * @throws if an address cannot be listened on, with that address and the reason; also if it is stopped before
 */
export async function openDoors(options: OpeningOptions): Promise<Endpoints> {
  const { parts, metrics, exclusive, reloads, predecessor, stopped } = options;
  const { now, worlds, redirector } = parts;
  await parts.watchers.firstRound;
  await reloads.settled();
  if (stopped.aborted) throw new Error("stopped before the doors were open");
  const { dns, http } = await openForViewers(options);
  if (predecessor === undefined) await exclusive.openMist();
  dns.challenge(parts.challenges.values());
  await reloads.settled();
  now.doors = { dns, http };
  now.opening = undefined;
  // What was reloaded while they opened.
  answerBy(worlds.current(), now, redirector);
  metrics.push(dns.metrics, http.metrics, () =>
    [troubleMetric, edgesMetric, stillMetric].map((metric) => metric(now.inventory, worlds.current())),
  );
  if (predecessor !== undefined) await takeOver(predecessor, parts, exclusive, stopped);
  const https = http.httpsEndpoints.length === 0 ? {} : { https: http.httpsEndpoints };
  return { dns: dns.endpoints, http: http.endpoints, ...https, ops: exclusive.opsEndpoint() as Endpoint };
}

/** Both doors begin with the same inventory, whatever is reloaded while they open. */
function openForViewers(options: OpeningOptions): Promise<ViewersDoors> {
  const { parts, predecessor, cookieSecret, log, graceMs, onStop } = options;
  const { now, worlds, redirector, geo, decisions, decisionWatch, drains, experience } = parts;
  const [inventory, world] = [now.inventory, worlds.begin()];
  redirector.take(inventory, world);
  const early = createEarlyWorlds(inventory, world);
  now.opening = early;
  const inherited = predecessor?.inherited ?? NOTHING_INHERITED;
  return openViewersDoors({
    begin: { inventory, world, follow: early.follow, inherited, geo, decisions, decisionWatch, log },
    cookieSecret,
    decide: redirector.decide,
    edges: () => now.inventory.edges,
    drains,
    experience,
    graceMs,
    onStop,
  });
}
