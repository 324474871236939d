import type { Board } from "../condition/board.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Location } from "../model/location.ts";
import type { MistServerDetails } from "../model/mistserver.ts";
import type { Service } from "../model/service.ts";
import type { BalancerContext, Wanted } from "../mistserver/balancer.ts";
import type { Redirector } from "./redirector.ts";

export interface MistBalancerSources {
  readonly inventory: () => Inventory;
  readonly board: Pick<Board, "conditions">;
  readonly redirector: Pick<Redirector, "decide" | "explain">;
}

/** What answers in place of MistServer's balancer are made of; it keeps what servers tell beside their load. */
export function createMistContext({ inventory, board, redirector }: MistBalancerSources): {
  context: () => BalancerContext | undefined;
  details: (edgeId: string, details: MistServerDetails) => void;
} {
  const detailsOf = new Map<string, MistServerDetails>();
  const context = (): BalancerContext | undefined => {
    const { mistserver: settings, services, edges } = inventory();
    const service = settings && services[settings.service];
    if (settings === undefined || service === undefined) return undefined;
    return {
      settings,
      decide(wanted, isCounted) {
        const question = questionFor(wanted, service);
        return isCounted
          ? redirector.decide(question, "http")
          : redirector.explain(question, { reject: () => {} });
      },
      servers: () => {
        const conditions = new Map(board.conditions().map((each) => [each.edgeId, each]));
        return service.edges.flatMap((index) => {
          const edge = edges[index];
          return edge === undefined
            ? []
            : [{ edge, condition: conditions.get(edge.id), details: detailsOf.get(edge.id) }];
        });
      },
    };
  };
  return { context, details: (edgeId, details) => void detailsOf.set(edgeId, details) };
}

function questionFor({ client, stream, place, bias }: Wanted, service: Service) {
  const location: Location | undefined = place && { layer: "places", ...place };
  return {
    hostname: (service.hostnames[0] ?? "").replace(/^\*/, "mistserver"),
    client,
    needsIpv4: client.address.family === 4,
    path: pathOf(service, stream),
    ...(location === undefined ? {} : { location }),
    ...(bias === undefined ? {} : { bias }),
  };
}

/** Where players of the HTTP door would find the stream, so that both mean the same one. */
function pathOf({ streams }: Service, stream: string): string {
  return streams === undefined ? `/${stream}/` : streams.path.replace("{stream}", () => stream);
}
