import { startEdgeward } from "../../lib/edgeward.mjs";
import { EXISTING_NAMES } from "../questions.mjs";

/** @type {import("./peer.ts").Peer} */
export const edgeward = {
  name: "edgeward",
  locatesBy: "city",
  package: undefined,
  program: undefined,
  async start({ folder, sites }) {
    const { child, ports } = await startEdgeward(folder, { hostnames: EXISTING_NAMES, sites });
    return { pid: child.pid, port: ports.dns, stop: child.stop, output: child.output };
  },
};
