import { createPricing } from "../../../dist/pricing/pricing.js";
import { createRedirector } from "../../../dist/engine/redirector.js";
import { createSteering } from "../../../dist/steering/steering.js";
import { cool, newStreamHeat } from "../../../dist/selection/heat.js";
import { warmUp } from "../../../dist/control/stream-heat.js";

const HOSTNAME = "live.example.net";
/** As the service does it. */
const COOL_EVERY_MS = 30_000;
const STAY_MS = 30 * 60_000;

/**
 * The engine itself: its redirector decides, its pricing makes the worlds that it decides in.
 * @returns {import("../types.ts").Rule}
 */
export function create() {
  /** @type {import("../types.ts").Question} */
  let asked;
  let simulatedMs = 0;
  let ttlMs = 0;
  const redirector = createRedirector(() => asked.located, { monotonicMs: () => simulatedMs });
  /** @type {import("../../../src/model/inventory.ts").Inventory} */
  let inventory;
  /** @type {ReturnType<typeof createPricing>} */
  let pricing;
  /** @type {ReturnType<typeof createFacts>} */
  let facts;

  /** @type {import("../../../src/model/steering.ts").Steer} */
  let steering;
  /** @type {Map<string, number>} */
  let indexOf;

  const heat = newStreamHeat();
  let cooledAtMs = 0;

  /** @type {Float64Array} */
  let pricesKm;

  const makeWorld = (nowMs) => {
    const world = pricing.world(facts.now(), nowMs);
    pricesKm = world.priceKm;
    redirector.take(inventory, { ...world, heat });
  };

  return {
    name: "edgeward",
    readsStreams: true,
    ttlMs: () => ttlMs,
    pricesKm: () => pricesKm,
    start(setting) {
      inventory = inventoryOf(setting);
      pricing = createPricing({ rampUpMs: 60_000 });
      pricing.take(inventory.edges, inventory.services);
      facts = createFacts(inventory);
      indexOf = new Map(inventory.edges.map(({ id, index }) => [id, index]));
      steering = createSteering({
        decide: (question, door, trace) => redirector.decide(question, door, trace),
        edges: () => inventory.edges,
        log: console,
        draining: NOBODY_DRAINS,
        random: setting.random,
      });
      makeWorld(0);
    },
    health(edge, up, nowMs) {
      facts.health(edge, up);
      makeWorld(nowMs);
    },
    report(edge, report, nowMs) {
      facts.report(edge, report, nowMs);
      warmUp(heat, inventory.edges[edge].id, report.streams ?? []);
    },
    tick(nowMs) {
      pricing.tick(redirector.takeArrivals(), nowMs);
      if (nowMs - cooledAtMs >= COOL_EVERY_MS) {
        cool(heat, (nowMs - cooledAtMs) / STAY_MS);
        cooledAtMs = nowMs;
      }
      makeWorld(nowMs);
    },
    choose(question, nowMs) {
      asked = question;
      simulatedMs = nowMs;
      const { client, path, door } = question;
      const decision = redirector.decide(
        { hostname: HOSTNAME, client, ...(path === undefined ? {} : { path }) },
        door,
      );
      ttlMs = (decision?.ttlSeconds ?? 0) * 1000;
      return decision?.edges[0]?.edge.index ?? -1;
    },
    steer(question, playing, session, nowMs) {
      asked = question;
      simulatedMs = nowMs;
      const [service] = inventory.services;
      const address = `http://${HOSTNAME}/.edgeward/steering`;
      const pathway = `_HLS_pathway=${inventory.edges[playing].id}`;
      const query = session === "" ? `?${pathway}` : `${session}&${pathway}`;
      const { client, path = "/" } = question;
      const manifest = JSON.parse(
        /** @type {string} */ (steering({ service, hostname: HOSTNAME, client, path, query, address })),
      );
      return {
        edges: manifest["PATHWAY-PRIORITY"].map((/** @type {string} */ id) => indexOf.get(id)),
        ttlMs: manifest.TTL * 1000,
        session: manifest["RELOAD-URI"].slice(address.length),
      };
    },
  };
}

/** @type {import("../../../src/steering/steering.ts").Draining} */
const NOBODY_DRAINS = { seen() {}, isToLeave: () => false, isHasty: () => false };

/**
 * What the board would know.
 * @param {import("../../../src/model/inventory.ts").Inventory} inventory
 */
function createFacts({ generation, edges }) {
  const up = new Uint8Array(edges.length).fill(1);
  const unknown = () => new Float64Array(edges.length).fill(Number.NaN);
  const [loadRatio, viewers, measuredAtMs] = [unknown(), unknown(), unknown()];
  const perViewer = Float64Array.from(edges, ({ capacity }) => 1 / capacity.viewers);
  return {
    /** @param {number} edge @param {boolean} isUp */
    health(edge, isUp) {
      up[edge] = isUp ? 1 : 0;
    },
    /**
     * As the board: nobody tells it when the report was measured.
     * @param {number} edge
     * @param {import("../types.ts").Report} report
     * @param {number} nowMs
     */
    report(edge, report, nowMs) {
      viewers[edge] = report.viewers;
      loadRatio[edge] = report.viewers / edges[edge].capacity.viewers;
      measuredAtMs[edge] = nowMs;
    },
    /** @returns {import("../../../src/model/world.ts").Facts} */
    now: () => ({
      generation,
      up: up.slice(),
      state: new Uint8Array(edges.length),
      inDoubt: new Uint8Array(edges.length),
      loadRatio: loadRatio.slice(),
      viewers: viewers.slice(),
      perViewer,
      viewersAtMs: measuredAtMs.slice(),
      loadAtMs: measuredAtMs.slice(),
    }),
  };
}

/** As configured by default. */
const AFFINITY_WITHIN = {
  none: {},
  stream: { affinityWithin: { km: 500, share: 0.2 } },
  viewer: { affinityWithin: { km: 200, share: 0.1 } },
};

/**
 * @param {import("../types.ts").Setting} setting
 * @returns {import("../../../src/model/inventory.ts").Inventory}
 */
function inventoryOf({ edges, affinity, ttlMs: usualTtlMs, steeringTtlMs }) {
  return {
    generation: 1,
    file: "simulated",
    listen: { dns: [], http: [], ops: { host: "127.0.0.1", port: 0 } },
    ops: { tokens: [] },
    stateFile: "",
    trustedProxies: [],
    geoip: { city: [], asn: [] },
    places: [],
    allowedProbeNetworks: [],
    dns: {},
    acme: { accounts: [] },
    zones: [],
    edges,
    services: [
      {
        id: "live",
        index: 0,
        hostnames: [HOSTNAME],
        edges: edges.map((edge) => edge.index),
        rank: "nearest",
        affinity,
        ...AFFINITY_WITHIN[affinity],
        dns: { ttlSeconds: usualTtlMs / 1000, ttlInDoubtSeconds: 5, answers: 1 },
        steering: { isEnabled: true, ttlSeconds: steeringTtlMs / 1000 },
        http: { stickinessSeconds: 0, url: "{edge.url}{path}{query}" },
        maxDistanceKm: Number.POSITIVE_INFINITY,
        margin: 0.004,
        whenFull: "spill",
        whenDown: "fail-open",
      },
    ],
  };
}
