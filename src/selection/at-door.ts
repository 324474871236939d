import type { DoorName, Unreachable } from "../model/decision.ts";
import type { Edge } from "../model/edge.ts";
import type { Service } from "../model/service.ts";
import { hasIpv4 } from "./over-ipv4.ts";

/**
 * The service with those of its edges alone that a door can name: DNS by an address, the others by a URL.
 * @param door undefined: all edges, whatever they can be named by
 * @param isOverIpv4 for those who may have no other way; DNS can name no edge to them that has no address of it
 */
export type AtDoor = (service: Service, door: DoorName | undefined, isOverIpv4: boolean) => Service;

/**
 * Told apart only where some edges can be named and others cannot; where none can, the door says so itself. The same
 * object each time, so that what is prepared for a service is prepared for it once.
 */
export function createAtDoor(edges: readonly Edge[]): AtDoor {
  const known = new Map<string, Service[]>();
  return (service, door, isOverIpv4) => {
    const kind = `${door === "steering" ? "http" : door} ${isOverIpv4}`;
    const services = known.get(kind) ?? [];
    known.set(kind, services);
    return (services[service.index] ??= seenAt(service, edges, door, isOverIpv4));
  };
}

/** Why no viewer at the door can be sent to the edge; undefined: it has what is needed. */
export function unreachableAt(service: Service, edge: Edge, door: DoorName): Unreachable | undefined {
  if (door === "dns") return edge.addresses.length === 0 ? "no-address" : undefined;
  if (edge.url !== undefined) return undefined;
  const templates = [service.http.url, ...(service.http.templates ?? []).map(({ url }) => url)];
  return templates.some((template) => template.includes("{edge.url}")) ? "no-url" : undefined;
}

/**
 * One for IPv4 is another service than that for everybody, though it has the same edges: what is true of it in a
 * world differs.
 */
function seenAt(
  service: Service,
  edges: readonly Edge[],
  door: DoorName | undefined,
  isOverIpv4: boolean,
): Service {
  if (door === undefined) return isOverIpv4 ? { ...service } : service;
  const canBeNamed = (edge: Edge): boolean =>
    unreachableAt(service, edge, door) === undefined && (door !== "dns" || !isOverIpv4 || hasIpv4(edge));
  const named = service.edges.filter((index) => canBeNamed(edges[index] as Edge));
  const isMixed = named.length > 0 && named.length < service.edges.length;
  if (isMixed) return { ...service, edges: named };
  return isOverIpv4 ? { ...service } : service;
}
