import type { Service } from "../model/service.ts";

/**
 * The name of the stream that a path asks for: what stands where the service's `streams.path` has `{stream}`, or
 * else the folder that the playlist or segment lies in.
 */
export function streamOf({ streams }: Pick<Service, "streams">, target: string): string | undefined {
  const end = target.search(/[?#]/);
  const path = end < 0 ? target : target.slice(0, end);
  const [before = "", after = ""] = streams?.path.split("{stream}") ?? [];
  if (streams === undefined) return folderOf(path);
  if (!path.startsWith(before)) return undefined;
  const rest = path.slice(before.length);
  // A name may have slashes in it, as application and stream: it ends where the last folder does.
  if (after.startsWith("/")) return folderOf(rest);
  const stop = after === "" ? -1 : rest.indexOf(after.charAt(0));
  return (stop < 0 ? rest : rest.slice(0, stop)) || undefined;
}

function folderOf(path: string): string | undefined {
  const slash = path.lastIndexOf("/");
  return slash > 0 ? path.slice(0, slash) : undefined;
}
