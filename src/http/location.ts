import type { Edge } from "../model/edge.ts";
import type { Log } from "../model/log.ts";
import type { Service, UrlTemplate } from "../model/service.ts";
import { formatAddress } from "../base/address.ts";
import type { Signed } from "./signature.ts";

/**
 * The `Location` of a redirect. Its host comes from the configuration alone: a path starts with `/` and a query with
 * `?`, so neither can reach into the authority in front of them (WHATWG URL, authority state).
 * @param path starts with `/`
 * @param query empty, or starts with `?`
 * @param signed for the template's places for a signature or, where it has none, in the query
 */
export type BuildLocation = (path: string, query: string, signed?: Signed) => string;

/**
 * Every target of the services, each compiled at its first use. A target that cannot be used is `undefined`, and
 * logged once.
 */
export interface Locations {
  /** @param scheme how the viewer comes */
  of(service: Service, edge: Edge, scheme: "http" | "https"): BuildLocation | undefined;
  ofFallback(service: Service): BuildLocation | undefined;
  /** For other protocols, by name. */
  others(service: Service, edge: Edge): ReadonlyMap<string, BuildLocation>;
}

export function createLocations(isOwnHostname: (hostname: string) => boolean, log: Log): Locations {
  const services = new Map<Service, Compiled>();

  const compiled = (
    template: string,
    base: Base,
    fields: object,
    schemes = REDIRECTED,
  ): BuildLocation | undefined => {
    const location = compileLocation(template, base, isOwnHostname, schemes);
    if (location.kind === "location") return location.build;
    log.warn({ ...fields, reason: location.reason }, "a target that no viewer can be redirected to");
    return undefined;
  };

  const compiledFor = (service: Service): Compiled =>
    computed(services, service, () => ({
      edges: new Map(),
      special: new Map(),
      others: new Map(),
      fallback: new Map(),
    }));

  const ofTemplate = (service: Service, template: UrlTemplate, edge: Edge): BuildLocation | undefined => {
    const ofEdges = computed(compiledFor(service).special, template, () => new Map());
    return computed(ofEdges, edge, () =>
      compiled(template.url, edge, { service: service.id, edge: edge.id }),
    );
  };

  return {
    of(service, edge, scheme) {
      const template = service.http.templates?.find((one) => fits(one, edge, scheme));
      if (template !== undefined) return ofTemplate(service, template, edge);
      return computed(compiledFor(service).edges, edge, () =>
        compiled(service.http.url, edge, { service: service.id, edge: edge.id }),
      );
    },
    others: (service, edge) =>
      computed(compiledFor(service).others, edge, () => {
        const fields = { service: service.id, edge: edge.id };
        const pairs = Object.entries(service.http.urls ?? {}).flatMap(([name, template]) => {
          const build = compiled(template, edge, { ...fields, url: name }, ANY_SCHEME);
          return build === undefined ? [] : [[name, build] as const];
        });
        return new Map(pairs);
      }),
    ofFallback(service) {
      const url = service.fallback?.url;
      if (url === undefined) return undefined;
      return computed(compiledFor(service).fallback, url, () =>
        compiled("{edge.url}{path}{query}", { id: "fallback", url }, { service: service.id, fallback: url }),
      );
    },
  };
}

/** What is compiled of one service. */
interface Compiled {
  readonly edges: Map<Edge, BuildLocation | undefined>;
  /** By those that fit some edges only. */
  readonly special: Map<UrlTemplate, Map<Edge, BuildLocation | undefined>>;
  readonly others: Map<Edge, ReadonlyMap<string, BuildLocation>>;
  readonly fallback: Map<string, BuildLocation | undefined>;
}

function fits({ tags, scheme: only }: UrlTemplate, edge: Edge, scheme: "http" | "https"): boolean {
  if (only !== undefined && only !== scheme) return false;
  return tags === undefined || tags.some((tag) => edge.tags.includes(tag));
}

function computed<K, V>(cache: Map<K, V>, key: K, compute: () => V): V {
  const known = cache.get(key);
  if (known !== undefined || cache.has(key)) return known as V;
  const value = compute();
  cache.set(key, value);
  return value;
}

const REDIRECTED = /^https?:\/\/[^/?#\\]+/i;
const ANY_SCHEME = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\\]+/i;

/** What a template's `{edge.id}`, `{edge.url}` and `{edge.host}` stand for. */
type Base = Pick<Edge, "id"> & Partial<Pick<Edge, "url" | "addresses">>;

export type CompiledLocation =
  | { readonly kind: "location"; readonly build: BuildLocation }
  | { readonly kind: "unusable"; readonly reason: string };

/**
 * Fills in what is known of the edge, and makes sure that whatever a request says the host stays the configured one.
 */
export function compileLocation(
  template: string,
  base: Base,
  isOwnHostname: (hostname: string) => boolean,
  schemes = REDIRECTED,
): CompiledLocation {
  if (base.url === undefined && template.includes("{edge.url}")) return unusable("it has no url");
  if (template.includes("{edge.host}") && hostOf(base) === undefined)
    return unusable("it has neither url nor address");
  const pieces = piecesOf(template, base);
  const isInPath = pieces.includes(SIGNATURE);
  const build: BuildLocation = (path, query, signed) => {
    let location = "";
    for (const piece of pieces) location += filledIn(piece, path, query, signed);
    if (signed === undefined || isInPath) return location;
    return `${location}${location.includes("?") ? "&" : "?"}${signed.parameters}`;
  };
  const reason = whyUnusable(pieces[0] ?? "", build, isOwnHostname, schemes);
  return reason === undefined ? { kind: "location", build } : unusable(reason);
}

function unusable(reason: string): CompiledLocation {
  return { kind: "unusable", reason };
}

const PATH = "{path}";
const QUERY = "{query}";
const SIGNATURE = "{signature}";

function filledIn(piece: string, path: string, query: string, signed: Signed | undefined): string {
  switch (piece) {
    case PATH:
      return printable(path);
    case QUERY:
      return printable(query);
    case SIGNATURE:
      return signed?.signature ?? "";
    case "{expires}":
      return signed?.expires ?? "";
    case "{key}":
      return signed?.key ?? "";
    default:
      return piece;
  }
}

/** Of its url, or else its first address. */
function hostOf({ url, addresses = [] }: Base): string | undefined {
  if (url !== undefined) return new URL(url).hostname;
  const [address] = addresses;
  if (address === undefined) return undefined;
  return address.family === 6 ? `[${formatAddress(address)}]` : formatAddress(address);
}

/** Literal text, and what a request or its signature fills in, in turn. */
function piecesOf(template: string, base: Base): string[] {
  const { id, url = "" } = base;
  return template
    .replaceAll("{edge.url}", () => url.replace(/\/$/, ""))
    .replaceAll("{edge.host}", () => hostOf(base) ?? "")
    .replaceAll("{edge.id}", () => id)
    .split(/(\{(?:path|query|signature|expires|key)\})/)
    .filter((piece) => piece !== "");
}

function whyUnusable(
  start: string,
  build: BuildLocation,
  isOwnHostname: (hostname: string) => boolean,
  schemes: RegExp,
): string | undefined {
  if (!schemes.test(start))
    return schemes === REDIRECTED
      ? "its url does not start with http:// or https:// and a host"
      : "its url does not start with a scheme, :// and a host";
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

/**
 * As sent, except that octets a header or a URL cannot carry are percent-encoded. node:http gives one character per
 * octet.
 */
export function printable(text: string): string {
  return PRINTABLE.test(text) ? text : text.replace(/[^\x21-\x7e]/gu, percentEncoded);
}

function percentEncoded(character: string): string {
  const octets = character <= "\xff" ? [character.charCodeAt(0)] : Buffer.from(character, "utf8");
  let encoded = "";
  for (const octet of octets) encoded += `%${octet.toString(16).toUpperCase().padStart(2, "0")}`;
  return encoded;
}
