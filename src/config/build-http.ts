import type { Edge } from "../model/edge.ts";
import type { Signing, UrlTemplate } from "../model/service.ts";
import { VALUE } from "./reading.ts";
import type { Report } from "./report.ts";
import type { FileInput } from "./schema.ts";
import type { ServiceInput } from "./schema-service.ts";
import type { SignInput } from "./schema-sign.ts";

/** @param report takes paths below `http` */
export function buildHttp(input: ServiceInput["http"], tags: ReadonlySet<string>, report: Report) {
  const { stickiness, url, urls, sign, links, serverTiming, redirectorPhp, redirectToHttps } = input;
  checkSignatures(input, report);
  checkTemplates(input, tags, report);
  const http = {
    stickinessSeconds: stickiness,
    url,
    ...(input.templates.length === 0 ? {} : { templates: input.templates.map(templateOf) }),
    ...(Object.keys(urls).length === 0 ? {} : { urls }),
    ...(redirectToHttps === undefined ? {} : { redirectToHttps }),
    ...(redirectorPhp === true ? { redirectorPhp } : {}),
    ...(links ? { links } : {}),
    ...(serverTiming ? { serverTiming } : {}),
  };
  return sign === undefined ? { http } : { http, signing: buildSigning(sign, stickiness, report) };
}

function checkSignatures({ url, urls, templates, sign }: ServiceInput["http"], report: Report): void {
  const all: (readonly [path: readonly (string | number)[], template: string])[] = [
    [["url"], url],
    ...Object.entries(urls).map(([name, url]) => [["urls", name], url] as const),
    ...templates.map(({ url }, i) => [["templates", i, "url"], url] as const),
  ];
  for (const [path, template] of all) {
    if (!/\{(?:signature|expires|key)\}/.test(template)) continue;
    if (sign === undefined) report(path, "has a place for a signature, and there is none; add http.sign");
    else if (sign.scheme === "wmsauth")
      report(
        path,
        "has a place for a signature; that of wmsauth is a parameter, so leave {signature}, {expires} and {key} out",
      );
  }
}

/** One that fits always leaves none to those behind it, nor to `url`. */
function checkTemplates(
  { templates }: ServiceInput["http"],
  known: ReadonlySet<string>,
  report: Report,
): void {
  templates.forEach(({ tags, scheme }, i) => {
    if (tags === undefined && scheme === undefined)
      report(["templates", i], "fits every edge and viewer; give tags or scheme, or write it as url");
    tags?.forEach((tag, j) => {
      if (!known.has(tag)) report(["templates", i, "tags", j], `no edge has the tag ${VALUE}`);
    });
  });
}

function templateOf({ tags, scheme, url }: ServiceInput["http"]["templates"][number]): UrlTemplate {
  return { ...(tags === undefined ? {} : { tags }), ...(scheme === undefined ? {} : { scheme }), url };
}

function buildSigning(
  { scheme, keys, ttl, over, address }: SignInput,
  stickinessSeconds: number,
  report: Report,
): Signing {
  const ttlSeconds = Math.round(ttl / 1000);
  if (scheme === "wmsauth" && ttlSeconds % 60 !== 0)
    report(["sign", "ttl"], "wmsauth counts in minutes; write whole ones, as 5m");
  if (stickinessSeconds >= ttlSeconds)
    report(
      ["sign", "ttl"],
      "shorter than stickiness: a player would keep a redirect longer than it is good for",
    );
  const first = new Set<string>();
  keys.forEach(({ id, from }, i) => {
    const name = String(from);
    if (first.has(name))
      report(["sign", "keys", i], "begins when another key does; give it a from of its own");
    first.add(name);
    if (id !== undefined && scheme === "wmsauth")
      report(["sign", "keys", i, "id"], "wmsauth names no key; leave it out");
  });
  return {
    scheme,
    keys: keys.map(({ id, secret, from }) => ({
      secret,
      ...(id === undefined ? {} : { id }),
      ...(from === undefined ? {} : { fromMs: from }),
    })),
    ttlSeconds,
    over,
    bindsAddress: address,
  };
}

/** An edge whose url is one of our own hostnames would redirect for ever. */
export function checkLoops(
  edges: readonly Edge[],
  hostnames: ReadonlySet<string>,
  report: (edgeId: string, message: string) => void,
): void {
  for (const { id, url } of edges) {
    if (url !== undefined && isOwn(url, hostnames))
      report(
        id,
        `has the hostname of a service, so that viewers would be redirected for ever; give the edge's own`,
      );
  }
}

/** As `checkLoops`, of the services' fallbacks. */
export function checkFallbackLoops({ services }: FileInput, report: Report): void {
  const hostnames = new Set(Object.values(services).flatMap((service) => service.hostnames));
  for (const [id, { fallback }] of Object.entries(services)) {
    if (fallback?.url !== undefined && isOwn(fallback.url, hostnames))
      report(
        ["services", id, "fallback", "url"],
        "has the hostname of a service, so that viewers would be redirected for ever; give the origin's own",
      );
  }
}

function isOwn(url: string, hostnames: ReadonlySet<string>): boolean {
  return isServed(new URL(url).hostname.replace(/\.$/, ""), hostnames);
}

function isServed(host: string, hostnames: ReadonlySet<string>): boolean {
  if (hostnames.has(host)) return true;
  for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1))
    if (hostnames.has(`*${host.slice(dot)}`)) return true;
  return false;
}
