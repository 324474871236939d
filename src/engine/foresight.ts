import type { Client } from "../model/client.ts";
import type { Choice, Decision, DoorName, Question } from "../model/decision.ts";
import type { Service } from "../model/service.ts";
import { createRecent } from "../pricing/recent.ts";
import { askersKey, squareKey } from "../pricing/squares.ts";
import { addViewers } from "../selection/heat.ts";
import type { Sight } from "../selection/sights.ts";
import { streamKeyFor } from "../selection/stream.ts";
import type { InService } from "./in-service.ts";

/** Whoever is sent to an edge is load there before a report shows it. */
export interface Foresight {
  /** How many come with an answer for the place because they lost their edge, beside those whom it usually brings. */
  readonly returningTo: (service: Service, client: Client, latitude?: number, longitude?: number) => number;
  /** @returns whether the viewer was sent nowhere lately, so that he is noted as load */
  readonly foresee: (decision: Decision, door: DoorName, question: Question, sight: Sight) => boolean;
  /** The same for DNS, where no stream is known, and the place is at `place[at]`. */
  readonly foreseeAt: (
    decision: Decision,
    client: Client,
    sight: Sight,
    place: Float32Array,
    at: number,
  ) => boolean;
  /** Nobody was sent anywhere yet. */
  readonly clear: () => void;
}

/** @param now what is in service, while anything is decided */
export function createForesight(now: () => InService, monotonicMs: () => number): Foresight {
  const recent = createRecent();

  const returningTo = (
    { index }: Service,
    { from }: Client,
    latitude = Number.NaN,
    longitude = Number.NaN,
  ): number => {
    const { world, pools } = now();
    if (world.returning === undefined || world.returning.size === 0) return 0;
    const square = squareKey(pools.ofService[index] as number, latitude, longitude);
    return world.returning.get(askersKey(square, from === "client-subnet")) ?? 0;
  };

  const foresee = (decision: Decision, door: DoorName, question: Question, { world }: Sight): boolean => {
    const { field, pools, ledger } = now();
    const { client, playing } = question;
    const best = decision.edges[0];
    if (best === undefined) return false;
    const { index } = decision.service;
    const windowMs = door === "dns" ? decision.ttlSeconds * 1000 : PLAYING_MS;
    // Who plays from there is in its reports. Who is moved there is new to it, however often he asks until he has
    // moved.
    if (playing?.edge.id === best.edge.id) return false;
    const what = playing === undefined ? index : -1 - (world.sent.slot[best.edge.index] as number);
    if (!recent.isNew(client, what, best.edge.index, world.up, windowMs, monotonicMs())) return false;
    const { latitude, longitude } = decision.location;
    const returning = door === "dns" ? returningTo(decision.service, client, latitude, longitude) : 0;
    const stream = world.heat === undefined ? undefined : streamKeyFor(decision.service, question);
    const named = door === "dns" ? namedIn(decision) : 1;
    const pool = pools.ofService[index] as number;
    for (let i = 0; i < named; i++) {
      const edge = (decision.edges[i] as Choice).edge.index;
      const slot = world.sent.slot[edge] as number;
      ledger.count(
        door,
        pool,
        slot,
        decision.location,
        client.from,
        door === "dns" ? shortSeconds(decision) : 0,
      );
      if (returning > 0) ledger.add(slot, returning / named);
      if (world.heat === undefined || stream === undefined) continue;
      const viewers = door === "dns" ? (world.sent.viewersPerAnswer[edge] as number) : 1;
      addViewers(world.heat, stream, field.idHashes[edge] as number, viewers);
    }
    return true;
  };

  const foreseeAt: Foresight["foreseeAt"] = (decision, client, { world }, place, at) => {
    const best = decision.edges[0];
    if (best === undefined) return false;
    const { pools, ledger } = now();
    const { index } = decision.service;
    const windowMs = decision.ttlSeconds * 1000;
    if (!recent.isNew(client, index, best.edge.index, world.up, windowMs, monotonicMs())) return false;
    const returning = returningTo(decision.service, client, place[at], place[at + 1]);
    const named = namedIn(decision);
    const pool = pools.ofService[index] as number;
    for (let i = 0; i < named; i++) {
      const slot = world.sent.slot[(decision.edges[i] as Choice).edge.index] as number;
      ledger.countAt("dns", pool, slot, place, at, client.from, shortSeconds(decision));
      if (returning > 0) ledger.add(slot, returning / named);
    }
    return true;
  };

  return { returningTo, foresee, foreseeAt, clear: () => recent.clear() };
}

/**
 * How many edges an answer names. Resolvers hand them out in turns: each is counted, and how many viewers come to
 * each is learned.
 */
export function namedIn({ edges, service, answers = service.dns.answers }: Decision): number {
  return Math.min(edges.length, answers);
}

/** By how much an answer is kept shorter than usual. */
function shortSeconds({ service, ttlSeconds }: Decision): number {
  return service.dns.ttlSeconds - ttlSeconds;
}

/** A player who is redirected again within this time still watches. */
const PLAYING_MS = 60_000;
