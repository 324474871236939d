import type { Response, Service } from "./harness.ts";
import type { Reply } from "./dns-client.ts";

export interface StreamOptions {
  readonly queriesPerSecond: number;
  readonly requestsPerSecond: number;
  /** One query; a rejection is a lost answer. */
  readonly query: (service: Service) => Promise<Reply>;
  /** The i-th request; a rejection is a lost answer. */
  readonly request: (service: Service, i: number) => Promise<Response>;
  /** What is wrong with a reply, if anything. `sentMs` is when it was asked for, as performance.now(). */
  readonly judgeReply: (reply: Reply, sentMs: number) => string | undefined;
  readonly judgeResponse: (response: Response, sentMs: number) => string | undefined;
}

export interface StreamResult {
  readonly replies: number;
  readonly responses: number;
  /** Answers that never came, and why. */
  readonly lost: readonly string[];
  readonly wrong: readonly string[];
  /** Latest answer of all, and since the last `mark`. */
  readonly worstMs: number;
}

/** Steady questions at both doors. */
export interface Stream {
  /** The worst latency since the last call. */
  worstMs(): number;
  /** Waits for what is still under way. */
  stop(): Promise<StreamResult>;
}

const TICK_MS = 5;

export function startStream(service: Service, options: StreamOptions): Stream {
  const startMs = performance.now();
  const under = new Set<Promise<void>>();
  const lost: string[] = [];
  const wrong: string[] = [];
  let [asked, requested, replies, responses, worstMs, worstSinceMs] = [0, 0, 0, 0, 0, 0];

  const watch = async <T>(
    answer: Promise<T>,
    sentMs: number,
    judge: (answer: T, sentMs: number) => string | undefined,
    count: () => void,
  ): Promise<void> => {
    try {
      const got = await answer;
      const tookMs = performance.now() - sentMs;
      worstMs = Math.max(worstMs, tookMs);
      worstSinceMs = Math.max(worstSinceMs, tookMs);
      count();
      const problem = judge(got, sentMs);
      if (problem !== undefined) wrong.push(problem);
    } catch (error) {
      lost.push(String(error));
    }
  };

  const follow = <T>(
    answer: Promise<T>,
    judge: (answer: T, sentMs: number) => string | undefined,
    count: () => void,
  ): void => {
    const sentMs = performance.now();
    const followed = watch(answer, sentMs, judge, count).finally(() => under.delete(followed));
    under.add(followed);
  };

  const timer = setInterval(() => {
    const seconds = (performance.now() - startMs) / 1000;
    for (; asked < seconds * options.queriesPerSecond; asked++)
      follow(options.query(service), options.judgeReply, () => replies++);
    for (; requested < seconds * options.requestsPerSecond; requested++)
      follow(options.request(service, requested), options.judgeResponse, () => responses++);
  }, TICK_MS);

  return {
    worstMs: () => {
      const worst = worstSinceMs;
      worstSinceMs = 0;
      return worst;
    },
    stop: async () => {
      clearInterval(timer);
      await Promise.all(under);
      return { replies, responses, lost, wrong, worstMs };
    },
  };
}
