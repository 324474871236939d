/** The command that puts the tags of content steering into a playlist or an MPD. */
import { readFile } from "node:fs/promises";
import type { SteerOptions } from "../cli/actions.ts";
import { type Answer, done } from "../cli/answer.ts";
import type { Edge } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Service } from "../model/service.ts";
import type { TaggedPathway } from "../steering/tag.ts";
import { withSteeringTags } from "../steering/tagged.ts";
import { withInventory } from "./configured.ts";

export function steer(configFile: string, file: string, options: SteerOptions): Promise<Answer<string>> {
  return withInventory(configFile, (inventory) => steerFile(file, options, inventory));
}

async function steerFile(
  file: string,
  { service: id, path, server, hasLocation }: SteerOptions,
  inventory: Inventory,
): Promise<Answer<string>> {
  const service = inventory.services.find((one) => one.id === id);
  if (service === undefined)
    return { kind: "unknown", what: "service", name: id, known: inventory.services.map((one) => one.id) };
  const edges = service.edges.map((index) => inventory.edges[index] as Edge);
  const pathways = pathwaysOf(service, edges);
  const [first] = pathways;
  if (first === undefined) return no(`no edge of ${id} has a url, so that there is nothing to steer to`);
  const origin = server ?? originFor(service, first);
  if (origin === undefined)
    return no(`${id} has wildcard hostnames only; give --server, as https://live.example.net`);

  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => error);
  if (typeof text !== "string") return no(`${file} cannot be read: ${text.code}`);
  const hosts = new Set([
    ...service.hostnames,
    ...edges.flatMap(({ url }) => url ?? []).map((url) => new URL(url).hostname),
  ]);
  const tagged = withSteeringTags(text, {
    serverUri: `${origin}/.edgeward/steering${path ?? ""}`,
    pathways,
    isOwnHost: (host) => hosts.has(host),
    ...(path === undefined ? {} : { path }),
    ...(path === undefined || !hasLocation ? {} : { location: `${origin}${path}` }),
  });
  return tagged.kind === "tagged" ? done(tagged.text) : no(`${file}: ${tagged.problem}`);
}

/** Those that playlists are to name. */
function pathwaysOf({ steering }: Service, edges: readonly Edge[]): TaggedPathway[] {
  const named = steering.pathways?.flatMap((id) => edges.find((edge) => edge.id === id) ?? []) ?? edges;
  return named.flatMap(({ id, url }) => (url === undefined ? [] : [{ id, url: url.replace(/\/$/, "") }]));
}

/** By the edges' scheme: a page over https may not ask over http. */
function originFor({ hostnames }: Service, { url }: TaggedPathway): string | undefined {
  const hostname = hostnames.find((one) => !one.startsWith("*."));
  return hostname === undefined ? undefined : `${new URL(url).protocol}//${hostname}`;
}

function no(message: string): Answer<never> {
  return { kind: "no", message };
}
