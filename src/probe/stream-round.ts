import { isDeepStrictEqual } from "node:util";
import { formatAddress } from "../base/address.ts";
import type { Clock } from "../base/clock.ts";
import type { Edge, HlsProbe } from "../model/edge.ts";
import type { StreamChecks } from "../model/service.ts";
import type { LiveMemory } from "./live.ts";
import { startPacer } from "./pacer.ts";
import { NOT_PROBED, type Verdict } from "./rise-fall.ts";
import type { Target } from "./target.ts";

/** One stream at one edge. */
export interface Check {
  readonly stream: string;
  readonly edge: Edge;
  /** Aborted when the check is dropped. */
  readonly ended: AbortController;
  verdict: Verdict;
  memory?: LiveMemory;
  /** Monotonic clock, of the last start. */
  startedMs: number;
}

/** The checks of one service: each active stream at each edge, those that waited longest first. */
export interface StreamRound {
  readonly checks: StreamChecks;
  /** Checks that are still wanted go on as they are. */
  set(edges: readonly Edge[], streams: readonly string[]): void;
  stop(): void;
}

export interface StreamRoundOptions {
  readonly checks: StreamChecks;
  readonly clock: Clock;
  /** Must not reject. */
  readonly run: (check: Check) => Promise<void>;
  readonly dropped: (check: Check) => void;
}

export function startRound({ checks, clock, run, dropped }: StreamRoundOptions): StreamRound {
  /** In the order in which they are due. */
  let queue = new Map<string, Check>();

  const startNext = (): number => {
    const [entry] = queue;
    if (entry === undefined) return Number.POSITIVE_INFINITY;
    const [key, check] = entry;
    const waitMs = check.startedMs + checks.intervalMs - clock.monotonicMs();
    if (waitMs > 0) return waitMs;
    queue.delete(key);
    queue.set(key, check);
    check.startedMs = clock.monotonicMs();
    void run(check);
    return 0;
  };
  const pacer = startPacer(clock, 1000 / checks.perSecond, startNext);

  const drop = (check: Check): void => {
    check.ended.abort();
    dropped(check);
  };

  return {
    checks,
    set(edges, streams) {
      const { kept, gone } = sift(queue, edges, new Set(streams));
      const fresh = new Map<string, Check>();
      for (const edge of edges) {
        for (const stream of streams) {
          const key = `${edge.id} ${stream}`;
          if (!kept.has(key)) fresh.set(key, newCheck(edge, stream));
        }
      }
      queue = new Map([...fresh, ...kept]);
      gone.forEach(drop);
      pacer.wake();
    },
    stop() {
      pacer.stop();
      for (const check of queue.values()) drop(check);
      queue.clear();
    },
  };
}

/** What a check asks. Of several addresses the first: whether the others answer is for the edge's own probe to tell. */
export function targetOf({ edge, stream }: Check, checks: StreamChecks): Target {
  const [address] = edge.addresses;
  return {
    edgeId: edge.id,
    family: address?.family ?? 4,
    ...(address === undefined ? {} : { address }),
    probe: hlsProbe(edge, stream, checks),
  };
}

function sift(
  queue: ReadonlyMap<string, Check>,
  edges: readonly Edge[],
  streams: ReadonlySet<string>,
): { kept: Map<string, Check>; gone: Check[] } {
  const byId = new Map(edges.map((edge) => [edge.id, edge]));
  const kept = new Map<string, Check>();
  const gone: Check[] = [];
  for (const [key, check] of queue) {
    const isWanted = streams.has(check.stream) && isReachedAlike(check.edge, byId.get(check.edge.id));
    if (isWanted) kept.set(key, check);
    else gone.push(check);
  }
  return { kept, gone };
}

function isReachedAlike(edge: Edge, now: Edge | undefined): boolean {
  if (edge === now) return true;
  return edge.url === now?.url && isDeepStrictEqual(edge.addresses[0], now?.addresses[0]);
}

function newCheck(edge: Edge, stream: string): Check {
  const ended = new AbortController();
  return { edge, stream, ended, verdict: NOT_PROBED, startedMs: Number.NEGATIVE_INFINITY };
}

function hlsProbe(edge: Edge, stream: string, checks: StreamChecks): HlsProbe {
  const { intervalMs, timeoutMs, rise, fall, tls } = checks;
  const url = new URL(originOf(edge) + checks.path.replaceAll("{stream}", () => pathOf(stream)));
  return { type: "hls", intervalMs, timeoutMs, rise, fall, tls, url: url.href, host: url.host, hosts: [] };
}

/** An edge has an address where it has no url. */
function originOf({ url, addresses: [address] }: Edge): string {
  if (url !== undefined || address === undefined) return url ?? "";
  return `http://${address.family === 6 ? `[${formatAddress(address)}]` : formatAddress(address)}`;
}

/** `live/cam 1` is two segments of a path. */
function pathOf(stream: string): string {
  return stream.split("/").map(encodeURIComponent).join("/");
}
