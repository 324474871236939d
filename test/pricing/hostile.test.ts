/** Whatever is reported and configured, in whatever order: worlds that the engine can decide in. */
import { expect, it } from "vitest";
import type { Edge } from "../../src/model/edge.ts";
import type { Location } from "../../src/model/location.ts";
import type { Service } from "../../src/model/service.ts";
import type { Facts, World } from "../../src/model/world.ts";
import { Ledger } from "../../src/pricing/ledger.ts";
import { poolsOf } from "../../src/pricing/pools.ts";
import { createPricing, type Pricing } from "../../src/pricing/pricing.ts";
import { sharesFrom } from "../random.ts";
import { edgeAt, serviceOf } from "../selection/fixture.ts";

const SECONDS = 300;
const DECISIONS_PER_SECOND = 50;
/** Less than a bid comes to of whoever has no other edge, which is twice half the Earth's circumference. */
const HIGHEST_KM = 36_000;

class Hostile {
  readonly #random: () => number;
  readonly #pricing: Pricing;
  readonly #all: Edge[];
  /** By edge's id. */
  readonly #said = new Map<string, { viewers: number; atMs: number; up: number; state: number }>();
  #edges: Edge[] = [];
  #pools = poolsOf([]);
  #world: World | undefined;
  #ledger: Ledger | undefined;

  constructor(seed: number) {
    this.#random = sharesFrom(seed);
    this.#pricing = createPricing({ rampUpMs: this.pick([0, 60_000]) });
    this.#all = Array.from({ length: 90 }, (_, i) => ({
      ...edgeAt(`e${i}`, 0, this.upTo(180) - 90, this.upTo(360) - 180),
      capacity: { viewers: this.pick([0, 1, 5, 50, 300, 2000]) },
    }));
    this.reload(0);
  }

  upTo(limit: number): number {
    return this.#random() * limit;
  }

  pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.upTo(values.length))] as T;
  }

  reload(nowMs: number): void {
    const count = this.pick([1, 3, 10, 30, 70]);
    const chosen = this.#all.filter(() => this.upTo(1) < count / this.#all.length);
    this.#edges = [...chosen, this.pick(this.#all)]
      .filter((edge, i, list) => list.indexOf(edge) === i)
      .map((edge, index) => ({ ...edge, index }));
    const services = Array.from({ length: 1 + Math.floor(this.upTo(4)) }, (_, i) => this.service(i));
    this.#pricing.take(this.#edges, services);
    this.#pools = poolsOf(services);
    this.look(nowMs);
    this.#ledger = new Ledger((this.#world as World).sent.counts, this.#pools.pools.length);
  }

  service(index: number): Service {
    return serviceOf(
      this.#edges.filter(() => this.upTo(1) < 0.7),
      {
        id: `s${Math.floor(this.upTo(6))}-${index}`,
        index,
        rank: this.pick(["nearest", "nearest", "weighted"]),
        margin: this.pick([0, 0.004, 0.2, 0.5]),
        maxDistanceKm: this.pick([Number.POSITIVE_INFINITY, 1000]),
        dns: { ttlSeconds: this.pick([1, 20, 300]), ttlInDoubtSeconds: 5, answers: 1 },
      },
    );
  }

  /** Reports that lie, are late or stop; edges that come and go. */
  report({ id, capacity }: Edge, nowMs: number): void {
    const said = this.#said.get(id) ?? { viewers: Number.NaN, atMs: Number.NaN, up: 1, state: 0 };
    this.#said.set(id, said);
    if (this.upTo(1) < 0.005) said.up = 1 - said.up;
    if (this.upTo(1) < 0.005) said.state = this.pick([0, 0, 1, 2]);
    if (this.upTo(1) > 0.15) return;
    const isLie = this.upTo(1) < 0.02;
    said.viewers = isLie
      ? this.pick([0, 1e9, Number.NaN, 7])
      : Math.floor(this.upTo((capacity.viewers ?? 0) + 3));
    said.atMs = nowMs - Math.floor(this.upTo(3000));
  }

  facts(): Facts {
    const said = this.#edges.map(({ id }) => this.#said.get(id));
    const rooms = this.#edges.map(({ capacity }) => capacity.viewers ?? 0);
    const viewers = Float64Array.from(said, (one) => one?.viewers ?? Number.NaN);
    const atMs = Float64Array.from(said, (one) => one?.atMs ?? Number.NaN);
    return {
      generation: 1,
      up: Uint8Array.from(said, (one) => one?.up ?? 1),
      state: Uint8Array.from(said, (one) => one?.state ?? 0),
      inDoubt: new Uint8Array(said.length),
      loadRatio: viewers.map((count, edge) => (rooms[edge] === 0 ? 1 : count / (rooms[edge] as number))),
      viewers,
      perViewer: Float64Array.from(rooms, (room) => 1 / Math.max(1, room)),
      viewersAtMs: atMs,
      loadAtMs: atMs,
    };
  }

  look(nowMs: number): World {
    return (this.#world = this.#pricing.world(this.facts(), nowMs));
  }

  decide(): void {
    const pool = this.pick(this.#pools.ofService);
    const edge = this.pick(this.#pools.pools[pool]?.edges ?? []);
    if (edge === undefined) return;
    const slot = (this.#world as World).sent.slot[edge] as number;
    const known: Location = {
      layer: "city",
      latitude: this.upTo(180) - 90,
      longitude: this.upTo(360) - 180,
    };
    const place = this.upTo(1) < 0.2 ? ({ layer: "none" } as const) : known;
    this.#ledger?.count(
      this.pick(["dns", "http"]),
      pool,
      slot,
      place,
      this.pick(["source", "client-subnet"]),
    );
  }

  second(nowMs: number): World {
    if (this.upTo(1) < 0.03) this.reload(nowMs);
    for (const edge of this.#edges) this.report(edge, nowMs);
    for (let i = 0; i < DECISIONS_PER_SECOND; i++) this.decide();
    if (this.upTo(1) < 0.9) this.#pricing.tick(this.#ledger?.takeArrivals() ?? [], nowMs);
    return this.look(nowMs);
  }
}

it.each([5, 6, 7, 8])("is priced, limited and foreseen within bounds, seed %d", (seed) => {
  const hostile = new Hostile(seed);
  for (let second = 1; second <= SECONDS; second++) {
    const { priceKm, limit, loadRatio, sent } = hostile.second(second * 1000);
    expect(priceKm.every((km) => km >= 0 && km < HIGHEST_KM)).toBe(true);
    expect(limit.every((share) => share > 0 && share <= 1)).toBe(true);
    expect(loadRatio.some((ratio) => Math.abs(ratio) === Number.POSITIVE_INFINITY)).toBe(false);
    expect(sent.viewersPerAnswer.every((viewers) => viewers > 0 && viewers < 1e6)).toBe(true);
  }
});
