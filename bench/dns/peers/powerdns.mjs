import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, pathOf, SERVER_CORE, start } from "../../lib/process.mjs";
import { EXISTING_NAMES, ZONE } from "../questions.mjs";

/** The geoip backend: a name per country, filled in from the look-up of each query. @type {import("./peer.ts").Peer} */
export const powerdns = {
  name: "PowerDNS",
  locatesBy: "country",
  program: "pdns_server",
  package: "pdns-backend-geoip",
  async start({ folder, database, sites, siteByCountry }) {
    const port = await freePort();
    mkdirSync(join(folder, "run"));
    writeFileSync(join(folder, "geo.yaml"), geography(siteByCountry, sites));
    writeFileSync(join(folder, "pdns.conf"), configuration(port, folder, database));
    const program = pathOf("pdns_server") ?? "pdns_server";
    const child = start(SERVER_CORE, [program, `--config-dir=${folder}`, "--daemon=no", "--guardian=no"]);
    return { pid: child.pid, port, stop: child.stop, output: child.output };
  },
};

/** @param {number} port @param {string} folder @param {string} database */
function configuration(port, folder, database) {
  const modules = ["/usr/lib/x86_64-linux-gnu/pdns", "/usr/lib/aarch64-linux-gnu/pdns"].find(existsSync);
  return `
${modules === undefined ? "" : `module-dir=${modules}`}
launch=geoip
geoip-database-files=mmdb:${database}
geoip-zones-file=${join(folder, "geo.yaml")}
edns-subnet-processing=yes
local-address=127.0.0.1
local-port=${port}
socket-dir=${join(folder, "run")}
receiver-threads=1
distributor-threads=1
`;
}

/**
 * @param {import("./peer.ts").Circumstances["siteByCountry"]} siteByCountry
 * @param {readonly import("./peer.ts").Site[]} sites
 */
function geography(siteByCountry, [home]) {
  const addressLines = (/** @type {readonly string[]} */ addresses) =>
    addresses.map((address) => `      - a: ${address}\n`).join("");
  const countries = [...siteByCountry].map(
    ([country, { addresses }]) => `    ${country.toLowerCase()}.country.${ZONE}:\n${addressLines(addresses)}`,
  );
  const services = EXISTING_NAMES.map(
    (name) => `    ${name}: [ '%co.country.${ZONE}', 'unknown.country.${ZONE}' ]\n`,
  );
  return `
domains:
- domain: ${ZONE}
  ttl: 20
  records:
    ${ZONE}:
      - soa: ns1.${ZONE} hostmaster.${ZONE} 1 7200 1800 259200 30
      - ns: ns1.${ZONE}
    ns1.${ZONE}:
      - a: 127.0.0.1
${countries.join("")}    unknown.country.${ZONE}:
${addressLines(home?.addresses ?? [])}  services:
${services.join("")}`;
}
