import type { Question } from "../model/decision.ts";
import type { Service } from "../model/service.ts";
import { hashText } from "./spread.ts";

/**
 * The name of the stream that a path asks for: what stands where the service's `streamPath`, or else its
 * `streams.path`, has `{stream}`; with neither, the folder that the playlist or segment lies in.
 */
export function streamOf(
  { streams, streamPath }: Pick<Service, "streams" | "streamPath">,
  target: string,
): string | undefined {
  const end = target.search(/[?#]/);
  const path = end < 0 ? target : target.slice(0, end);
  const pattern = streamPath ?? streams?.path;
  if (pattern === undefined) return folderOf(path);
  const [before = "", after = ""] = pattern.split("{stream}");
  if (!path.startsWith(before)) return undefined;
  const rest = path.slice(before.length);
  // A name may have slashes in it, as application and stream: it ends where the last folder does.
  if (streamPath === undefined && after.startsWith("/")) return folderOf(rest);
  const stop = after === "" ? -1 : rest.indexOf(after.charAt(0));
  return (stop < 0 ? rest : rest.slice(0, stop)) || undefined;
}

/** By what name affinity and the edges' reports know it: without the slash that a path begins with. */
export function streamKeyOf(name: string): number {
  return hashText(name.startsWith("/") ? name.slice(1) : name);
}

/** What stands for the `*` of the service's hostname: the stream, where each has a name of its own. */
export function streamOfHostname(
  { hostnames }: Pick<Service, "hostnames">,
  hostname: string,
): string | undefined {
  if (hostnames.includes(hostname)) return undefined;
  const wildcard = hostnames.find((each) => each.startsWith("*.") && hostname.endsWith(each.slice(1)));
  return wildcard === undefined ? undefined : hostname.slice(0, 1 - wildcard.length);
}

function folderOf(path: string): string | undefined {
  const slash = path.lastIndexOf("/");
  return slash > 0 ? path.slice(0, slash) : undefined;
}

/** A hostname that names the stream does so at both doors; otherwise the path does. */
export function streamKeyFor(
  service: Service,
  { hostname, path }: Pick<Question, "hostname" | "path">,
): number | undefined {
  if (service.affinity !== "stream") return undefined;
  const name =
    streamOfHostname(service, hostname) ?? (path === undefined ? undefined : streamOf(service, path));
  return name === undefined ? undefined : streamKeyOf(name);
}
