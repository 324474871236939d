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
  readonly target: Target;
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
      const wanted = new Map(edges.flatMap((edge) => streams.map((stream) => entryOf(edge, stream, checks))));
      const kept = new Map<string, Check>();
      for (const [key, check] of queue) {
        const target = wanted.get(key)?.target;
        if (isDeepStrictEqual(target, check.target)) kept.set(key, check);
        else drop(check);
      }
      const fresh = [...wanted].filter(([key]) => !kept.has(key));
      queue = new Map([...fresh, ...kept]);
      pacer.wake();
    },
    stop() {
      pacer.stop();
      for (const check of queue.values()) drop(check);
      queue.clear();
    },
  };
}

function entryOf(edge: Edge, stream: string, checks: StreamChecks): [key: string, check: Check] {
  const target = targetOf(edge, stream, checks);
  const ended = new AbortController();
  return [
    `${edge.id} ${stream}`,
    { stream, target, ended, verdict: NOT_PROBED, startedMs: Number.NEGATIVE_INFINITY },
  ];
}

/** Of several addresses the first: whether the others answer is what the edge's own probe tells. */
function targetOf(edge: Edge, stream: string, checks: StreamChecks): Target {
  const [address] = edge.addresses;
  return {
    edgeId: edge.id,
    family: address?.family ?? 4,
    ...(address === undefined ? {} : { address }),
    probe: hlsProbe(edge, stream, checks),
  };
}

function hlsProbe(edge: Edge, stream: string, checks: StreamChecks): HlsProbe {
  const { intervalMs, timeoutMs, rise, fall, tls } = checks;
  const url = new URL(originOf(edge) + checks.path.replaceAll("{stream}", () => pathOf(stream)));
  return { type: "hls", intervalMs, timeoutMs, rise, fall, tls, url: url.href, host: url.host, hosts: [] };
}

function originOf({ url, addresses: [address] }: Edge): string {
  if (url !== undefined || address === undefined) return url ?? "";
  return `http://${address.family === 6 ? `[${formatAddress(address)}]` : formatAddress(address)}`;
}

/** `live/cam 1` is two segments of a path. */
function pathOf(stream: string): string {
  return stream.split("/").map(encodeURIComponent).join("/");
}
