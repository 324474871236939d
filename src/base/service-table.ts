import { finished, type Steps } from "./steps.ts";

/** What is looked for: a service, or whatever else has hostnames and paths. */
export interface Served {
  /** Lower case, no trailing dot; `*.` in front for a wildcard. */
  readonly hostnames: readonly string[];
  /** Patterns in which `*` stands for anything; absent: every path. */
  readonly paths?: readonly string[];
}

/**
 * The service of a hostname and a path; without a path, the one for every path or else the first with that hostname.
 */
export type FindServed<S> = (hostname: string, path?: string) => S | undefined;

/**
 * Exact names first, then the wildcard of the closest name above that exists (RFC 4592 3.3.1). Of several services with
 * one hostname, the one whose matching pattern says most, and last the one for every path.
 */
export function createServiceTable<S extends Served>(services: readonly S[]): FindServed<S> {
  return finished(serviceTableInSteps(services));
}

/** Services or hostnames in a step: some tenths of a millisecond. */
const AT_ONCE = 200;

/** As `createServiceTable`. */
export function* serviceTableInSteps<S extends Served>(services: readonly S[]): Steps<FindServed<S>> {
  const byName = new Map<string, S[]>();
  for (const [i, service] of services.entries()) {
    for (const hostname of service.hostnames)
      byName.set(hostname, [...(byName.get(hostname) ?? []), service]);
    if (i % AT_ONCE === AT_ONCE - 1) yield;
  }
  const tables = new Map<string, ReturnType<typeof byPath<S>>>();
  const existing = new Set<string>();
  for (const [hostname, its] of byName) {
    tables.set(hostname, byPath(its));
    for (let name: string | undefined = hostname; name !== undefined; name = parent(name)) existing.add(name);
    if (tables.size % AT_ONCE === 0) yield;
  }

  return (hostname, path) => {
    const exact = tables.get(hostname);
    if (exact !== undefined || existing.has(hostname)) return exact?.(path);
    let name = parent(hostname);
    while (name !== undefined && !existing.has(name)) name = parent(name);
    return name === undefined ? undefined : tables.get(`*.${name}`)?.(path);
  };
}

function parent(name: string): string | undefined {
  const dot = name.indexOf(".");
  return dot < 0 ? undefined : name.slice(dot + 1);
}

function byPath<S extends Served>(services: readonly S[]): (path: string | undefined) => S | undefined {
  const everywhere = services.find(({ paths }) => paths === undefined);
  const first = everywhere ?? services[0];
  if (services.every(({ paths }) => paths === undefined)) return () => first;
  const patterns = services
    .flatMap((service) => (service.paths ?? []).map((pattern) => ({ service, ...compiled(pattern) })))
    .toSorted((a, b) => b.says - a.says);
  return (path) =>
    path === undefined ? first : (patterns.find(({ test }) => test.test(path))?.service ?? everywhere);
}

/** How much a pattern says: its characters other than `*`. */
function compiled(pattern: string): { readonly test: RegExp; readonly says: number } {
  const pieces = pattern.split("*");
  const source = pieces.map((piece) => piece.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join(".*");
  return { test: new RegExp(`^${source}$`, "s"), says: pieces.join("").length };
}
