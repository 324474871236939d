/** What pages of HTTPS cannot load: `check` notes redirects of viewers who come by HTTPS that lead to HTTP. */
import { createLocations } from "../http/location.ts";
import type { Edge } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { Note } from "../model/problem.ts";
import { some } from "./service-notes.ts";

/** W3C Mixed Content 4.4: a player in such a page gets nothing, and only its console says why. */
export function mixedContentNotes({ listen, services, edges }: Inventory): Note[] {
  if (listen.https === undefined) return [];
  const locations = createLocations(() => false, SILENT);
  return services.flatMap((service) => {
    const plain = service.edges
      .map((index) => edges[index] as Edge)
      .filter((edge) => locations.of(service, edge, "https")?.("/", "").startsWith("http:"));
    if (plain.length === 0) return [];
    const ids = some(plain.map(({ id }) => id));
    const message = `viewers who come by HTTPS are redirected to http:// at ${ids}, which browsers do not load in pages of HTTPS; give the edges https:// urls, or the service http.templates with scheme: https`;
    return [{ path: ["services", service.id], message }];
  });
}

const SILENT: Log = { info: () => {}, warn: () => {}, error: () => {} };
