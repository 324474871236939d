import type { Decision } from "../model/decision.ts";
import type { Edge } from "../model/edge.ts";
import { UP_IPV4, type World } from "../model/world.ts";
import { laidOut } from "./world-layout.ts";

/**
 * For who may have no other way than IPv4: an edge whose IPv4 is down is down. Where one without an address of it
 * leads to, nobody knows.
 * @param hasIpv4 as of `Field`
 */
export function worldOverIpv4(world: World, hasIpv4: Uint8Array): World {
  const seen = (up: number, index: number): number => (isIpv4Lost(up, hasIpv4[index] === 1) ? 0 : up);
  const keptUp =
    world.keptUp &&
    new Map(
      [...world.keptUp].map(([service, kept]) => [
        service,
        kept.map((up, index) => seen(up | (world.up[index] as number), index)),
      ]),
    );
  return laidOut({ ...world, up: world.up.map(seen), keptUp });
}

/**
 * Whether who needs IPv4 would be decided for alike: it reaches every edge that a DNS answer names. Who is refused
 * beyond a full place may be so at another place, or at none.
 */
export function isReachedByIpv4({ edges, service, answers = service.dns.answers }: Decision): boolean {
  if (edges.length === 0 || service.whenFull === "refuse") return false;
  return edges.slice(0, answers).every(({ edge, up }) => hasIpv4(edge) && (up & UP_IPV4) !== 0);
}

/** @param up bits as in `World.up` */
export function isIpv4Lost(up: number, isAmongAddresses: boolean): boolean {
  return (up & UP_IPV4) === 0 && isAmongAddresses;
}

export function hasIpv4({ addresses }: Edge): boolean {
  return addresses.some(({ family }) => family === 4);
}
