import type { Edge } from "../model/edge.ts";
import type { Log } from "../model/log.ts";
import type { Service } from "../model/service.ts";

/**
 * The `Location` of a redirect. Its host comes from the configuration alone: a path starts with `/` and a query with
 * `?`, so neither can reach into the authority in front of them (WHATWG URL, authority state).
 * @param path starts with `/`
 * @param query empty, or starts with `?`
 */
export type BuildLocation = (path: string, query: string) => string;

/** Every target of the services, each compiled at its first use. A target that cannot be used is `undefined`, and logged once. */
export interface Locations {
  of(service: Service, edge: Edge): BuildLocation | undefined;
  ofFallback(service: Service): BuildLocation | undefined;
}

export function createLocations(isOwnHostname: (hostname: string) => boolean, log: Log): Locations {
  const edges = new WeakMap<Service, WeakMap<Edge, BuildLocation | undefined>>();
  const fallbacks = new WeakMap<Service, BuildLocation | undefined>();

  const compiled = (template: string, base: Base, fields: object): BuildLocation | undefined => {
    const location = compileLocation(template, base, isOwnHostname);
    if (location.kind === "location") return location.build;
    log.warn({ ...fields, reason: location.reason }, "a target that no viewer can be redirected to");
    return undefined;
  };

  return {
    of(service, edge) {
      const ofService = computed(edges, service, () => new WeakMap<Edge, BuildLocation | undefined>());
      return computed(ofService, edge, () =>
        compiled(service.http.url, edge, { service: service.id, edge: edge.id }),
      );
    },
    ofFallback(service) {
      const url = service.fallback?.url;
      if (url === undefined) return undefined;
      return computed(fallbacks, service, () =>
        compiled("{edge.url}{path}{query}", { id: "fallback", url }, { service: service.id, fallback: url }),
      );
    },
  };
}

function computed<K extends WeakKey, V>(cache: WeakMap<K, V>, key: K, compute: () => V): V {
  if (!cache.has(key)) cache.set(key, compute());
  return cache.get(key) as V;
}

/** What a template's `{edge.id}` and `{edge.url}` stand for. */
interface Base {
  readonly id: string;
  readonly url?: string;
}

export type CompiledLocation =
  | { readonly kind: "location"; readonly build: BuildLocation }
  | { readonly kind: "unusable"; readonly reason: string };

/** Fills in what is known of the edge, and makes sure that whatever a request says the host stays the configured one. */
export function compileLocation(
  template: string,
  base: Base,
  isOwnHostname: (hostname: string) => boolean,
): CompiledLocation {
  if (base.url === undefined && template.includes("{edge.url}")) return unusable("it has no url");
  const pieces = piecesOf(template, base);
  const build: BuildLocation = (path, query) => {
    let location = "";
    for (const piece of pieces)
      location += piece === PATH ? printable(path) : piece === QUERY ? printable(query) : piece;
    return location;
  };
  const reason = whyUnusable(pieces[0] ?? "", build, isOwnHostname);
  return reason === undefined ? { kind: "location", build } : unusable(reason);
}

function unusable(reason: string): CompiledLocation {
  return { kind: "unusable", reason };
}

const PATH = "{path}";
const QUERY = "{query}";

/** Literal text, `{path}` and `{query}` in turn. */
function piecesOf(template: string, { id, url = "" }: Base): string[] {
  return template
    .replaceAll("{edge.url}", () => url.replace(/\/$/, ""))
    .replaceAll("{edge.id}", () => id)
    .split(/(\{path\}|\{query\})/)
    .filter((piece) => piece !== "");
}

function whyUnusable(
  start: string,
  build: BuildLocation,
  isOwnHostname: (hostname: string) => boolean,
): string | undefined {
  if (!/^https?:\/\/[^/?#\\]+/i.test(start))
    return "its url does not start with http:// or https:// and a host";
  if (!PRINTABLE.test(build("/", ""))) return "its url has characters outside printable ASCII";
  const url = parsed(build("/", ""));
  if (url === undefined) return "its url is malformed";
  if (url.username !== "" || url.password !== "") return "its url has a user name or a password";
  if (parsed(build("/", "?"))?.host !== url.host) return "its url lets the request choose the host";
  return isOwnHostname(url.hostname.replace(/\.$/, ""))
    ? "its url has the hostname of a service, which would redirect for ever"
    : undefined;
}

function parsed(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

const PRINTABLE = /^[\x21-\x7e]*$/;

/** As sent, except that octets a header or a URL cannot carry are percent-encoded. node:http gives one character per octet. */
export function printable(text: string): string {
  return PRINTABLE.test(text) ? text : text.replace(/[^\x21-\x7e]/gu, percentEncoded);
}

function percentEncoded(character: string): string {
  const octets = character <= "\xff" ? [character.charCodeAt(0)] : Buffer.from(character, "utf8");
  let encoded = "";
  for (const octet of octets) encoded += `%${octet.toString(16).toUpperCase().padStart(2, "0")}`;
  return encoded;
}
