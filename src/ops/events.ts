import type { ServerResponse } from "node:http";
import type { MetricSource } from "../model/metrics.ts";
import type { OpsApi } from "./api.ts";

/** Server-sent events (WHATWG HTML 9.2) to a bounded number of subscribers. */
export interface EventHub {
  /** Takes over the response, whose head is not sent yet. False: there is no place left, and it is untouched. */
  add(response: ServerResponse): boolean;
  readonly metrics: MetricSource;
  /** Ends every stream; new ones may be added. */
  endAll(): void;
  stop(): void;
}

export interface EventLimits {
  readonly subscribers: number;
  /** Of one subscriber; events beyond it are lost to that subscriber, which is told how many. */
  readonly queuedOctets: number;
  /** Between comments that keep the connection alive; a subscriber stalled for a whole one is cut off. */
  readonly heartbeatMs: number;
}

export const EVENT_LIMITS: EventLimits = { subscribers: 32, queuedOctets: 1 << 20, heartbeatMs: 15_000 };

/** Listens to the application only while somebody listens here. */
export function createEventHub(
  subscribe: OpsApi["subscribe"],
  headers: Readonly<Record<string, string>>,
  limits: EventLimits = EVENT_LIMITS,
): EventHub {
  const streams = new Set<EventStream>();
  let lost = 0;
  let unsubscribe: (() => void) | undefined;
  const beat = setInterval(() => streams.forEach((stream) => stream.beat()), limits.heartbeatMs).unref();

  function tell(frame: string): void {
    for (const stream of streams) if (!stream.offer(frame)) lost++;
  }

  function remove(stream: EventStream): void {
    streams.delete(stream);
    if (streams.size > 0) return;
    unsubscribe?.();
    unsubscribe = undefined;
  }

  const endAll = (): void => streams.forEach((stream) => stream.end());

  return {
    add(response) {
      if (streams.size >= limits.subscribers) return false;
      const stream = new EventStream(response, limits.queuedOctets);
      streams.add(stream);
      response.once("close", () => remove(stream));
      response.writeHead(200, { ...headers, "content-type": "text/event-stream", connection: "close" });
      response.write("retry: 2000\n\n");
      unsubscribe ??= subscribe((event) => tell(frameOf(event.kind, event)));
      return true;
    },
    metrics: () => [
      gauge("ops_event_subscribers", "Open event streams", streams.size),
      counter("ops_events_lost_total", "Events that a subscriber was too slow for", lost),
    ],
    endAll,
    stop() {
      clearInterval(beat);
      endAll();
    },
  };
}

class EventStream {
  readonly #response: ServerResponse;
  readonly #queuedOctets: number;
  #lost = 0;
  #stalled = false;

  constructor(response: ServerResponse, queuedOctets: number) {
    this.#response = response;
    this.#queuedOctets = queuedOctets;
    response.on("error", () => response.destroy());
  }

  /** False: the subscriber is behind, and this event is lost to it. */
  offer(frame: string): boolean {
    if (this.#isBehind()) {
      this.#lost++;
      return false;
    }
    this.#tellLost();
    this.#response.write(frame);
    return true;
  }

  beat(): void {
    if (!this.#isBehind()) {
      this.#stalled = false;
      this.#tellLost();
      this.#response.write(": \n\n");
    } else if (this.#stalled) this.#response.destroy();
    else this.#stalled = true;
  }

  end(): void {
    if (this.#isBehind()) this.#response.destroy();
    else this.#response.end();
  }

  #isBehind(): boolean {
    return this.#response.writableLength > this.#queuedOctets;
  }

  #tellLost(): void {
    if (this.#lost > 0) this.#response.write(frameOf("lost", { count: this.#lost }));
    this.#lost = 0;
  }
}

function frameOf(kind: string, data: object): string {
  return `event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
}

function gauge(name: string, help: string, value: number): ReturnType<MetricSource>[number] {
  return { kind: "gauge", name, help, samples: [{ labels: {}, value }] };
}

function counter(name: string, help: string, value: number): ReturnType<MetricSource>[number] {
  return { kind: "counter", name, help, samples: [{ labels: {}, value }] };
}
