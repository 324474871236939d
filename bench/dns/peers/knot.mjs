import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { knotServer } from "../../lib/knot.mjs";
import { freePort, pathOf, SERVER_CORE, start } from "../../lib/process.mjs";
import { EXISTING_NAMES, ZONE } from "../questions.mjs";

/**
 * mod-geoip: looks the client up for each query and finds the country in a list per name.
 * @type {import("./peer.ts").Peer}
 */
export const knot = {
  name: "Knot",
  locatesBy: "country",
  program: "knotd",
  package: "knot-module-geoip",
  async start({ folder, database, sites, siteByCountry }) {
    const port = await freePort();
    const file = (/** @type {string} */ name) => join(folder, name);
    writeFileSync(file("knot.conf"), configuration(port, folder, database));
    writeFileSync(file("geo.yaml"), geography(siteByCountry));
    writeFileSync(file(`${ZONE}.zone`), zone(sites));
    const child = start(SERVER_CORE, [pathOf("knotd") ?? "knotd", "-c", file("knot.conf")]);
    return { pid: child.pid, port, stop: child.stop, output: child.output };
  },
};

/** @param {number} port @param {string} folder @param {string} database */
function configuration(port, folder, database) {
  return `${knotServer(folder, port, "edns-client-subnet: on")}mod-geoip:
  - id: world
    config-file: ${join(folder, "geo.yaml")}
    ttl: 20
    mode: geodb
    geodb-file: ${database}
    geodb-key: [ country/iso_code ]
template:
  - id: default
    storage: ${folder}
zone:
  - domain: ${ZONE}
    file: ${ZONE}.zone
    module: mod-geoip/world
`;
}

/** @param {import("./peer.ts").Circumstances["siteByCountry"]} siteByCountry */
function geography(siteByCountry) {
  const entry = [...siteByCountry]
    .map(([country, { addresses }]) => `  - geo: "${country}"\n    A: [ ${addresses.join(", ")} ]\n`)
    .join("");
  return EXISTING_NAMES.map((name) => `${name}.:\n${entry}`).join("");
}

/** @param {readonly import("./peer.ts").Site[]} sites */
function zone([home]) {
  return `
$ORIGIN ${ZONE}.
@ 3600 SOA ns1 hostmaster 1 7200 1800 259200 30
@ 3600 NS ns1
ns1 3600 A 127.0.0.1
${EXISTING_NAMES.flatMap((name) => home?.addresses.map((address) => `${name}. 20 A ${address}`)).join("\n")}
`;
}
