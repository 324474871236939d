import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, pathOf, SERVER_CORE, start } from "../../lib/process.mjs";
import { EXISTING_NAMES, ZONE } from "../questions.mjs";

/** Nearest by coordinates ("city auto mode"), compiled into a tree at its start. @type {import("./peer.ts").Peer} */
export const gdnsd = {
  name: "gdnsd",
  locatesBy: "city",
  program: "gdnsd",
  package: "gdnsd",
  async start({ folder, database, sites }) {
    const port = await freePort();
    for (const name of ["zones", "run", "state"]) mkdirSync(join(folder, name));
    writeFileSync(join(folder, "config"), configuration(port, folder, database, sites));
    writeFileSync(join(folder, "zones", ZONE), zone());
    const child = start(SERVER_CORE, [pathOf("gdnsd") ?? "gdnsd", "-c", folder, "start"]);
    return { pid: child.pid, port, stop: child.stop, output: child.output };
  },
};

/**
 * @param {number} port
 * @param {string} folder
 * @param {string} database
 * @param {readonly import("./peer.ts").Site[]} sites
 */
function configuration(port, folder, database, sites) {
  const ids = sites.map(({ id }) => id).join(", ");
  const coordinates = sites.map(({ id, latitude, longitude }) => `${id} => [${latitude}, ${longitude}]`);
  const addresses = sites.map(({ id, addresses }) => `${id} => [${addresses.join(", ")}]`);
  return `
options => {
  listen => { 127.0.0.1:${port} => { udp_threads => 1, tcp_threads => 1 } }
  run_dir => ${join(folder, "run")}
  state_dir => ${join(folder, "state")}
}
plugins => {
  geoip => {
    maps => {
      world => {
        geoip2_db => ${database}
        datacenters => [${ids}]
        auto_dc_coords => { ${coordinates.join(", ")} }
        nets => { 127.0.0.0/8 => [${sites[0]?.id}] }
      }
    }
    resources => { live => { map => world, service_types => up, dcmap => { ${addresses.join(", ")} } } }
  }
}
`;
}

function zone() {
  return `
@ 3600 SOA ns1 hostmaster 1 7200 1800 259200 30
@ 3600 NS ns1
ns1 3600 A 127.0.0.1
${EXISTING_NAMES.map((name) => `${name}. 20 DYNA geoip!live`).join("\n")}
`;
}
