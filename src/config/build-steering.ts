import type { Edge } from "../model/edge.ts";
import type { SteeringRules } from "../model/service.ts";
import { didYouMean } from "../base/suggest.ts";
import { VALUE, derived } from "./reading.ts";
import type { Report } from "./report.ts";
import type { ServiceInput } from "./schema-service.ts";

/**
 * @param edges of the service
 * @param isFaulty whether an edge of that id is wrong in itself, which is told elsewhere
 */
export function buildSteering(
  { enabled, ttl, pathways }: ServiceInput["steering"],
  edges: readonly Edge[],
  isFaulty: (id: string) => boolean,
  report: Report,
): SteeringRules {
  if (pathways !== undefined) checkPathways(pathways, edges, isFaulty, report);
  return { isEnabled: enabled, ttlSeconds: ttl, ...(pathways === undefined ? {} : { pathways }) };
}

function checkPathways(
  pathways: readonly string[],
  edges: readonly Edge[],
  isFaulty: (id: string) => boolean,
  report: Report,
): void {
  const ids = edges.map(({ id }) => id);
  pathways.forEach((id, i) => {
    const path = ["pathways", i];
    if (pathways.indexOf(id) < i) report(path, `${VALUE} is listed twice; leave one out`);
    else if (!ids.includes(id) && !isFaulty(id))
      report(path, `this service has no edge ${VALUE}${derived(didYouMean(id, ids))}`);
  });
  const base = edges.find(({ id }) => id === pathways[0]);
  const clones = edges.filter(({ id }) => !pathways.includes(id));
  if (base === undefined || clones.length === 0) return;
  if (base.url === undefined)
    return report(["pathways", 0], `${VALUE} has no url, so that nothing can be cloned from it`);
  const unfit = clones.flatMap((edge) => {
    const why = whyNoClone(edge, new URL(base.url ?? ""), pathways);
    return why === undefined ? [] : [`${edge.id} ${why}`];
  });
  if (unfit.length > 0)
    report(
      ["pathways"],
      `edges that are not listed are clones of ${base.id}, with a host of their own and all else the same; but ${unfit.join(", ")}: name them here and in the playlists`,
    );
  checkHostsDiffer(clones, report);
}

/** A clone replaces the host of the base's addresses, and neither scheme nor port nor path. */
function whyNoClone({ url }: Edge, base: URL, pathways: readonly string[]): string | undefined {
  if (url === undefined) return "has no url";
  const { protocol, port, pathname, hostname } = new URL(url);
  if (protocol !== base.protocol) return "has another scheme";
  if (port !== base.port) return "has another port";
  if (pathname !== base.pathname) return "has another path";
  if (hostname.startsWith("[")) return "has an IPv6 address in its url where a hostname is needed";
  if (hostname === base.hostname) return "has the same host";
  return pathways.includes(hostname) ? "has a host that is named like a pathway" : undefined;
}

/** Clones go by their hosts. */
function checkHostsDiffer(clones: readonly Edge[], report: Report): void {
  const first = new Map<string, string>();
  for (const { id, url } of clones) {
    const host = url === undefined ? undefined : new URL(url).hostname;
    if (host === undefined) continue;
    const earlier = first.get(host);
    if (earlier === undefined) first.set(host, id);
    else
      report(
        ["pathways"],
        `${earlier} and ${id} are clones with the same host; name one of them here and in the playlists`,
      );
  }
}
