import { type Pullers, startPullers } from "../load/puller.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource } from "../model/metrics.ts";
import type { MistServerDetails } from "../model/mistserver.ts";
import { startProbes } from "../probe/prober.ts";
import { startStreamChecks, type StreamChecker } from "../probe/streams.ts";
import { watchCanary } from "./canary.ts";
import type { Conditions } from "./conditions.ts";
import { inOneTurn, type Settle } from "./reloads.ts";
import { createStreamNews } from "./stream-news.ts";
import { watchStreams } from "./stream-watch.ts";

/** All who go and look at edges, and tell what they see: probes, readers of load, checks of streams, the canary's. */
export interface Watchers {
  /** Looks for the first time. */
  begin(): void;
  /** Resolves when every address of the inventory that they began with has been probed once. */
  readonly firstRound: Promise<void>;
  readonly staleStreams: StreamChecker["staleStreams"];
  readonly loadFailures: Pullers["failures"];
  readonly settle: Settle;
  readonly metrics: readonly MetricSource[];
  stop(): void;
}

export interface WatchersOptions {
  readonly inventory: () => Inventory;
  readonly log: Log;
  readonly conditions: Pick<Conditions, "board" | "failStatic">;
  /** What a MistServer says beside its load. */
  readonly onDetails: (edgeId: string, details: MistServerDetails) => void;
  /** The stale streams have changed. */
  readonly onStale: () => void;
}

export function createWatchers(options: WatchersOptions): Watchers {
  const { inventory, log, conditions, onDetails, onStale } = options;
  const { board, failStatic } = conditions;
  const prober = startProbes({
    log,
    onHealth(edgeId, probed) {
      // First, so that no world has them down.
      failStatic.health(edgeId, probed);
      board.health(edgeId, probed);
    },
    onDownAddresses: (edgeId, bits) => board.downAddresses(edgeId, bits),
  });
  const canary = watchCanary({ log, onCanary: failStatic.canary });
  const pullers = startPullers({ log, onReport: (...news) => board.report(...news), onDetails });
  const streamNews = createStreamNews(log);
  const checker = startStreamChecks({
    log,
    onStale(...news) {
      onStale();
      streamNews.changed(...news);
    },
  });
  const settle = [prober, canary, pullers, checker].map((each) => inOneTurn((next) => each.take(next)));
  let stopStreams: (() => void) | undefined;
  return {
    begin() {
      for (const take of settle) take(inventory());
      stopStreams = watchStreams(checker, board, inventory);
    },
    firstRound: prober.firstRound,
    staleStreams: checker.staleStreams,
    loadFailures: pullers.failures,
    settle,
    metrics: [prober.metrics, pullers.metrics, checker.metrics],
    stop() {
      stopStreams?.();
      for (const each of [checker, streamNews, pullers, canary, prober]) each.stop();
    },
  };
}
