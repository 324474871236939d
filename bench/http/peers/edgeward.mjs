import { readFileSync, writeFileSync } from "node:fs";
import { withMoreEdges } from "../../faults/reload.mjs";
import { startEdgeward } from "../../lib/edgeward.mjs";

const MORE_EDGES = 500;

/** @type {import("./peer.ts").Peer} */
export const edgeward = {
  name: "edgeward",
  missing: () => undefined,
  async start({ folder, hostname, certificate }) {
    const { child, file, ports } = await startEdgeward(folder, { hostnames: [hostname], certificate });
    const configuration = readFileSync(file, "utf8");
    let edits = 0;
    return {
      pid: child.pid,
      port: ports.http,
      httpsPort: ports.https,
      reload() {
        writeFileSync(file, withMoreEdges(configuration, MORE_EDGES + edits++));
        child.process.kill("SIGHUP");
      },
      reloads: () => child.output().split("configuration taken").length - 1,
      stop: child.stop,
    };
  },
};
