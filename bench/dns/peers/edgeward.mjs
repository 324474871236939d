import { startEdgeward } from "../../lib/edgeward.mjs";
import { EXISTING_NAMES } from "../questions.mjs";

/** @type {import("./peer.ts").Peer} */
export const edgeward = {
  name: "edgeward",
  locatesBy: "city",
  package: undefined,
  program: undefined,
  async start({ folder }) {
    const { child, ports } = await startEdgeward(folder, { hostnames: EXISTING_NAMES });
    return { pid: child.pid, port: ports.dns, stop: child.stop, output: child.output };
  },
};
