import type { DoorName, Unreachable } from "../model/decision.ts";
import type { Edge } from "../model/edge.ts";
import type { Service } from "../model/service.ts";

/** The service with those of its edges alone that a door can name: DNS by an address, the others by a URL. */
export type AtDoor = (service: Service, door: DoorName) => Service;

/**
 * Told apart only where some edges can be named and others cannot; where none can, the door says so itself. The same
 * object each time, so that what is prepared for a service is prepared for it once.
 */
export function createAtDoor(edges: readonly Edge[]): AtDoor {
  const known: (Doors | undefined)[] = [];
  return (service, door) => {
    let doors = known[service.index];
    if (doors?.service !== service)
      known[service.index] = doors = {
        service,
        dns: withoutUnreachable(service, edges, "dns"),
        http: withoutUnreachable(service, edges, "http"),
      };
    return door === "dns" ? doors.dns : doors.http;
  };
}

interface Doors {
  readonly service: Service;
  readonly dns: Service;
  readonly http: Service;
}

/** Why no viewer at the door can be sent to the edge; undefined: it has what is needed. */
export function unreachableAt(service: Service, edge: Edge, door: DoorName): Unreachable | undefined {
  if (door === "dns") return edge.addresses.length === 0 ? "no-address" : undefined;
  if (edge.url !== undefined) return undefined;
  const templates = [service.http.url, ...(service.http.templates ?? []).map(({ url }) => url)];
  return templates.some((template) => template.includes("{edge.url}")) ? "no-url" : undefined;
}

function withoutUnreachable(service: Service, edges: readonly Edge[], door: "dns" | "http"): Service {
  const reachable = service.edges.filter(
    (index) => unreachableAt(service, edges[index] as Edge, door) === undefined,
  );
  const isMixed = reachable.length > 0 && reachable.length < service.edges.length;
  return isMixed ? { ...service, edges: reachable } : service;
}
