import { spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, PROJECT } from "../lib/process.mjs";
import { askUdp } from "./clients.mjs";
import { withEdgeward } from "./server.mjs";

/** @type {readonly import("./fault.ts").Fault[]} */
export const faults = [
  {
    name: "port-taken",
    what: "another program listens on the DNS port",
    async run(folder) {
      const socket = createSocket("udp4");
      await new Promise((/** @type {(value?: undefined) => void} */ resolve) => {
        socket.bind(0, "127.0.0.1", () => resolve());
      });
      const outcome = await refused(folder, `127.0.0.1:${socket.address().port}`);
      socket.close();
      return outcome;
    },
  },
  {
    name: "no-address",
    what: "an IPv6 address that the machine does not have",
    run: (folder) => refused(folder, "[2001:db8::53]:5353"),
  },
  {
    name: "not-permitted",
    what: "port 53 without CAP_NET_BIND_SERVICE (setpriv)",
    needs: ["setpriv"],
    run: (folder) =>
      refused(folder, "127.0.53.53:53", [
        "setpriv",
        "--bounding-set=-net_bind_service",
        "--inh-caps=-net_bind_service",
      ]),
  },
  {
    name: "address-removed",
    what: "one of two addresses is removed from the machine while it runs",
    needs: ["ip"],
    async run(folder) {
      const address = "192.0.2.153";
      const port = await freePort();
      if (ip("add", address) !== 0) return { held: false, figure: "not run: needs CAP_NET_ADMIN" };
      try {
        const listen = (/** @type {object} */ ports) => ({
          ...ports,
          dns: [`127.0.0.1:${port}`, `${address}:${port}`],
        });
        const ports = { http: [`127.0.0.1:${await freePort()}`], ops: `127.0.0.1:${await freePort()}` };
        return await withEdgeward(folder, { listen: listen(ports) }, async ({ child }) => {
          ip("del", address);
          let answered = 0;
          for (let i = 0; i < 50; i++) if ((await askUdp(port)) !== undefined) answered++;
          return {
            held: answered === 50 && child.process.exitCode === null,
            figure: `${answered} of 50 answered at the other`,
          };
        });
      } finally {
        ip("del", address);
      }
    },
  },
];

/** @param {"add" | "del"} verb @param {string} address */
function ip(verb, address) {
  return spawnSync("ip", ["addr", verb, `${address}/32`, "dev", "lo"]).status;
}

/**
 * Exit code 1 and a line that names the address.
 * @param {string} folder
 * @param {string} dns
 * @param {readonly string[]} prefix
 */
async function refused(folder, dns, prefix = []) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "edgeward.yaml");
  writeFileSync(file, JSON.stringify({ listen: { dns: [dns], ops: `127.0.0.1:${await freePort()}` } }));
  const [program, ...args] = [
    ...prefix,
    process.execPath,
    join(PROJECT, "dist", "main.js"),
    "serve",
    "-c",
    file,
  ];
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += String(chunk);
  });
  const code = await new Promise((resolve) => {
    child.once("exit", resolve);
  });
  const line = said.split("\n").find((each) => each.startsWith("edgeward: ")) ?? "";
  return {
    held: code === 1 && line.includes("cannot listen for DNS on"),
    figure: `exit code ${code}; ${line}`,
  };
}
