import type { Broadcast } from "../base/broadcast.ts";
import type { Decide, Decision, DoorName } from "../model/decision.ts";
import type { DecisionSample, OpsEvent } from "../ops/api.ts";

/** One number in memory that all threads share: 1 while someone watches, else 0. */
export type Watched = Int32Array;

/** What those who decide need, to tell of some of it. */
export interface DecisionWatch {
  readonly watched: Watched;
  readonly tell: (sample: DecisionSample) => void;
}

export const UNWATCHED: DecisionWatch = { watched: new Int32Array(1), tell: () => {} };

/** Has decisions sampled while anyone listens to events. */
export function watchDecisions(
  events: Broadcast<OpsEvent>,
): DecisionWatch & Pick<Broadcast<OpsEvent>, "subscribe"> {
  const watched = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const look = (): void => {
    watched[0] = events.isHeard() ? 1 : 0;
  };
  return {
    watched,
    tell: (decision) => events.emit({ kind: "decision", atMs: Date.now(), decision }),
    subscribe(listener) {
      const stop = events.subscribe(listener);
      look();
      return () => {
        stop();
        look();
      };
    },
  };
}

/** The same decisions, of which one in each tenth of a second is told at most; none while nobody watches. */
export function sampled(
  decide: Decide,
  { watched, tell }: DecisionWatch,
  monotonicMs = () => performance.now(),
): Decide {
  let toldMs = Number.NEGATIVE_INFINITY;
  return (question, door, trace) => {
    const decision = decide(question, door, trace);
    if (watched[0] === 0 || decision === undefined) return decision;
    const nowMs = monotonicMs();
    if (nowMs - toldMs >= EVERY_MS) {
      toldMs = nowMs;
      tell(sampleOf(decision, door));
    }
    return decision;
  };
}

const EVERY_MS = 100;

/** Of edges, those that the answer names: DNS leaves out those that are too much worse than the best. */
function sampleOf({ service, outcome, edges, answers, location }: Decision, door: DoorName): DecisionSample {
  const named = door === "dns" ? edges.slice(0, answers ?? service.dns.answers) : edges;
  const distanceKm = edges[0]?.distanceKm ?? Number.NaN;
  return {
    door,
    service: service.id,
    outcome: outcome.kind,
    edges: named.map(({ edge }) => edge.id),
    ...(location.country === undefined ? {} : { country: location.country }),
    distanceKm: Number.isNaN(distanceKm) ? null : distanceKm,
  };
}
