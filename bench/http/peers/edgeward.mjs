import { startEdgeward } from "../../lib/edgeward.mjs";

/** @type {import("./peer.ts").Peer} */
export const edgeward = {
  name: "edgeward",
  missing: () => undefined,
  async start({ folder, hostname }) {
    const { child, ports } = await startEdgeward(folder, { hostnames: [hostname] });
    return { pid: child.pid, port: ports.http, stop: child.stop };
  },
};
