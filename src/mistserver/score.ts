import type { Server } from "./reply.ts";

/**
 * The most points that MistServer's balancer gives for what a server has left: of bandwidth, of processors, of
 * memory.
 */
export const WEIGHTS = { bw: 1000, cpu: 500, ram: 500 };
/** For a server where the viewer is; none for one on the other side of the earth. */
export const GEO_WEIGHT = 1000;

/** Octets per second where MistServer has none configured. */
const USUAL_LIMIT = 134_217_728;

export function limitOf({ edge, condition }: Server): number {
  const bits = edge.capacity.bandwidth ?? condition?.load.capacity?.bandwidth ?? USUAL_LIMIT * 8;
  return Math.round(bits / 8);
}

/** Octets per second out. */
export function sentBy({ condition }: Server): number {
  return Math.round((condition?.load.bandwidth ?? 0) / 8);
}

/** Of what nobody knows, all is left. */
export function scoresOf(server: Server): typeof WEIGHTS {
  const { cpu = 0, memory = 0 } = server.condition?.load ?? {};
  return {
    bw: points(WEIGHTS.bw, sentBy(server) / limitOf(server)),
    cpu: points(WEIGHTS.cpu, cpu),
    ram: points(WEIGHTS.ram, memory),
  };
}

function points(weight: number, used: number): number {
  return Math.max(0, Math.round(weight - weight * used));
}

/** Its own, and those that the configuration gives it. */
export function tagsOf({ edge, details }: Server): string[] {
  return [...new Set([...edge.tags, ...(details?.tags ?? [])])];
}
