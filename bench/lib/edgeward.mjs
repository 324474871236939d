import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, PROJECT, SERVER_CORE, start } from "./process.mjs";
import { SITES } from "./sites.mjs";

/**
 * @typedef {object} Edgeward
 * @property {import("./process.mjs").Child} child
 * @property {{ dns: number, http: number, https: number, ops: number }} ports `https`: where nothing listens without
 * a certificate
 * @property {number} startSeconds from the command to open doors
 * @property {string} file its configuration
 */

/** Of Node, as the shipped unit of systemd gives them. @returns {string[]} */
function optionsOfUnit() {
  const unit = readFileSync(join(PROJECT, "config", "edgeward.service"), "utf8");
  const [, options = ""] = /^ExecStart=\S+node (.*?)\S+main\.js /m.exec(unit) ?? [];
  return options.split(" ").filter((option) => option !== "");
}

/**
 * Runs the real program over the packaged city database with the sites as edges, without probes, and waits until its
 * doors are open. Loopback is placed in Amsterdam.
 * @param {string} folder for its configuration
 * @param {{ hostnames: readonly string[], nodeOptions?: readonly string[], sites?: readonly import("./sites.mjs").Site[], certificate?: { certificate: string, key: string }, more?: object }} options
 *   `certificate`: files, for HTTPS; `sites`: its edges; `more`: other keys of the configuration
 * @returns {Promise<Edgeward>}
 */
export async function startEdgeward(
  folder,
  { hostnames, nodeOptions = [], sites = SITES, certificate, more = {} },
) {
  const ports = {
    dns: await freePort(),
    http: await freePort(),
    https: await freePort(),
    ops: await freePort(),
  };
  const file = join(folder, "edgeward.yaml");
  // JSON is YAML.
  writeFileSync(
    file,
    JSON.stringify({ ...configuration(ports, hostnames, sites, certificate), ...more }, undefined, 1),
  );
  const startedMs = performance.now();
  const main = join(PROJECT, "dist", "main.js");
  const command = [process.execPath, ...optionsOfUnit(), ...nodeOptions, main, "serve", "-c", file];
  const child = start(SERVER_CORE, command, { cwd: folder });
  await child.says("edgeward serves");
  return { child, ports, file, startSeconds: (performance.now() - startedMs) / 1000 };
}

/**
 * @param {Edgeward["ports"]} ports
 * @param {readonly string[]} hostnames
 * @param {readonly import("./sites.mjs").Site[]} sites
 * @param {{ certificate: string, key: string } | undefined} certificate
 */
export function configuration(ports, hostnames, sites, certificate) {
  return {
    listen: {
      dns: [`127.0.0.1:${ports.dns}`],
      http: [`127.0.0.1:${ports.http}`],
      ...(certificate && {
        https: { addresses: [`127.0.0.1:${ports.https}`], certificates: [certificate] },
      }),
      ops: `127.0.0.1:${ports.ops}`,
    },
    trustedProxies: ["127.0.0.0/8"],
    places: { "127.0.0.0/8": { latitude: 52.3676, longitude: 4.9041, country: "NL", continent: "EU" } },
    zones: {
      "cdn.example.net": {
        nameservers: ["ns1.cdn.example.net"],
        contact: "hostmaster@example.net",
        ttl: "1h",
        negativeTtl: "30s",
        records: [{ name: "ns1", type: "A", data: "127.0.0.1" }],
      },
    },
    edges: Object.fromEntries(
      sites.map(({ id, latitude, longitude, addresses, url }) => [
        id,
        { location: { latitude, longitude }, addresses, url, probe: { type: "none" } },
      ]),
    ),
    services: { live: { hostnames, rank: "nearest", dns: { ttl: "20s", answers: 1 } } },
  };
}
