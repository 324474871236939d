import { createRedirector } from "../../../dist/redirector.js";
import { priceKm } from "../../../dist/selection/price.js";

const HOSTNAME = "live.example.net";

/**
 * The engine itself: its redirector decides, its control side makes the worlds that it decides in.
 * @returns {import("../types.ts").Rule}
 */
export function create() {
  /** @type {import("../types.ts").Question} */
  let asked;
  const redirector = createRedirector(() => asked.located);
  /** @type {ReturnType<typeof createControl>} */
  let control;
  /** @type {import("../../../src/model/inventory.ts").Inventory} */
  let inventory;

  const takeWorld = () => {
    const world = control.world();
    if (world !== undefined) redirector.take(inventory, world);
  };

  return {
    name: "edgeward",
    start(setting) {
      inventory = inventoryOf(setting);
      control = createControl(inventory);
      takeWorld();
    },
    health: (edge, up) => control.health(edge, up),
    report: (edge, report) => control.report(edge, report),
    tick: () => takeWorld(),
    choose(question) {
      asked = question;
      const { client, path, door } = question;
      const decision = redirector.decide(
        { hostname: HOSTNAME, client, ...(path === undefined ? {} : { path }) },
        door,
      );
      return decision?.edges[0]?.edge.index ?? -1;
    },
  };
}

/**
 * Reports and health in, worlds out: stands where the engine's own control side will stand.
 * @param {import("../../../src/model/inventory.ts").Inventory} inventory
 */
function createControl({ generation, edges }) {
  const up = new Uint8Array(edges.length).fill(1);
  const loadRatio = new Float64Array(edges.length).fill(Number.NaN);
  let changed = true;
  return {
    /** @param {number} edge @param {boolean} isUp */
    health(edge, isUp) {
      up[edge] = isUp ? 1 : 0;
      changed = true;
    },
    /** @param {number} edge @param {import("../types.ts").Report} report */
    report(edge, { viewers, bandwidth }) {
      const { capacity } = edges[edge];
      loadRatio[edge] = Math.max(
        viewers / (capacity.viewers ?? Number.POSITIVE_INFINITY),
        bandwidth / (capacity.bandwidth ?? Number.POSITIVE_INFINITY),
      );
      changed = true;
    },
    /** A new world if anything changed. @returns {import("../../../src/model/world.ts").World | undefined} */
    world() {
      if (!changed) return undefined;
      changed = false;
      return {
        generation,
        up: up.slice(),
        state: new Uint8Array(edges.length),
        loadRatio: loadRatio.slice(),
        priceKm: loadRatio.map(priceKm),
      };
    },
  };
}

/**
 * @param {import("../types.ts").Setting} setting
 * @returns {import("../../../src/model/inventory.ts").Inventory}
 */
function inventoryOf({ edges, affinity, ttlMs }) {
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
        dns: { ttlSeconds: ttlMs / 1000, answers: 1 },
        http: { stickinessSeconds: 0, url: "{edge.url}{path}{query}" },
        whenFull: "spill",
        whenDown: "fail-open",
      },
    ],
  };
}
