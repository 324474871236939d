import { nearestOf } from "./nearest-of.mjs";

/**
 * Static geography: the nearest edge that is up, whatever its load (gdnsd's geoip plugin, Knot DNS' mod-geoip,
 * PowerDNS' geoip backend).
 * @returns {import("../types.ts").Rule}
 */
export function create() {
  /** @type {import("../types.ts").Setting} */
  let setting;
  /** @type {Uint8Array} */
  let up;
  return {
    name: "nearest",
    start(given) {
      setting = given;
      up = new Uint8Array(given.edges.length).fill(1);
    },
    health(edge, isUp) {
      up[edge] = isUp ? 1 : 0;
    },
    report() {},
    tick() {},
    choose: ({ location }) => nearestOf(setting.distancesKm(location), (edge) => up[edge] === 1),
  };
}
