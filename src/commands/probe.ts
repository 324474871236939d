import { formatAddress } from "../base/address.ts";
import type { Answer } from "../cli/answer.ts";
import type { ProbeView } from "../cli/views.ts";
import type { Edge } from "../model/edge.ts";
import { probeEdge } from "../probe/once.ts";
import { withEdge } from "./configured.ts";

export function probe(configFile: string, edgeId: string): Promise<Answer<ProbeView>> {
  return withEdge(configFile, edgeId, async (edge, inventory) => {
    const probed = await probeEdge(edge, inventory);
    const addresses = probed.map(({ address, result }) => ({
      address: address === undefined ? hostOf(edge) : formatAddress(address),
      ...result,
    }));
    return { edgeId, type: edge.probe.type, ...targetOf(edge), addresses };
  });
}

function hostOf({ url }: Edge): string {
  return url === undefined ? "-" : new URL(url).hostname;
}

function targetOf({ probe }: Edge): { target?: string } {
  switch (probe.type) {
    case "http":
    case "hls":
    case "websocket":
      return { target: probe.url };
    case "rtmp": {
      const { port, tls, application } = probe;
      const parts = [`port ${port}`, tls && "TLS", application && `application ${application}`];
      return { target: parts.filter(Boolean).join(", ") };
    }
    case "dns":
      return { target: `${probe.name} ${probe.record}, ${probe.transport} port ${probe.port}` };
    case "tcp":
      return { target: `port ${probe.port}` };
    case "none":
      return {};
  }
}
