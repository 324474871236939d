import type { Edge } from "../model/edge.ts";
import type { ClientSubnetRules, Fallback, Service } from "../model/service.ts";
import { buildBindings } from "./build-bindings.ts";
import { buildHttp } from "./build-http.ts";
import { buildSteering } from "./build-steering.ts";
import { checkRule } from "./check-rule.ts";
import { buildStreams } from "./build-streams.ts";
import { isWithin } from "./names.ts";
import { checkHosts } from "./host-addresses.ts";
import { VALUE, derived } from "./reading.ts";
import { type Report, under } from "./report.ts";
import type { ServiceInput } from "./schema-service.ts";
import { didYouMean } from "../base/suggest.ts";

/** What services refer to: also edges and zones that are wrong in themselves, which is told elsewhere. */
export interface Known {
  readonly edges: readonly Edge[];
  readonly edgeIds: ReadonlySet<string>;
  readonly tags: ReadonlySet<string>;
  /** Tags that stand in the file itself, and may be shown. */
  readonly shownTags: ReadonlySet<string>;
  readonly zones: readonly string[];
  /** Where a problem with a hostname is told: `FILE:LINE`. */
  place(path: readonly (string | number)[]): string;
}

export function buildServices(
  inputs: ReadonlyMap<string, ServiceInput>,
  known: Known,
  report: Report,
): Service[] {
  checkHostnamesDiffer(inputs, known, report);
  return [...inputs].map(([id, input], index) =>
    buildService(id, index, input, known, under(report, "services", id)),
  );
}

function buildService(id: string, index: number, input: ServiceInput, known: Known, report: Report): Service {
  checkZones(input, known, report);
  checkRule(input.allow, "allow", report);
  checkRule(input.deny, "deny", report);
  checkFallback(input, report);
  checkAffinity(input, report);
  checkExperience(input, report);
  const edges = chooseEdges(input.edges, known, report);
  return {
    id,
    index,
    hostnames: input.hostnames,
    ...(input.paths === undefined ? {} : { paths: input.paths }),
    edges,
    rank: input.rank,
    affinity: input.affinity,
    ...affinityOf(input),
    ...(input.allow === undefined ? {} : { allow: input.allow }),
    ...(input.deny === undefined ? {} : { deny: input.deny }),
    dns: buildDns(input, report),
    ...buildHttp(input.http, known.tags, under(report, "http")),
    steering: buildSteering(
      input.steering,
      edges.map((index) => known.edges[index] as Edge),
      (id) => known.edgeIds.has(id) && !known.edges.some((edge) => edge.id === id),
      under(report, "steering"),
    ),
    ...(input.experience === undefined ? {} : { experience: input.experience }),
    maxDistanceKm: input.maxDistanceKm ?? Number.POSITIVE_INFINITY,
    margin: input.margin,
    whenFull: input.whenFull,
    whenDown: input.whenDown,
    panic: { threshold: input.panicThreshold, holdMs: input.panicHold },
    ...(input.fallback === undefined ? {} : { fallback: fallbackOf(input.fallback) }),
    ...(input.streams === undefined
      ? {}
      : { streams: buildStreams(input.streams, under(report, "streams")) }),
  };
}

function buildDns(input: ServiceInput, report: Report): Service["dns"] {
  const bindings = buildBindings(input, report);
  if (input.dns.ttlInDoubt === 0)
    report(["dns", "ttlInDoubt"], "0s would have resolvers ask for every viewer; write 1s or more");
  return {
    ttlSeconds: input.dns.ttl,
    ttlInDoubtSeconds: input.dns.ttlInDoubt,
    answers: input.dns.answers,
    answersWithin: input.dns.answersWithin,
    ...(input.dns.clientSubnet === undefined
      ? {}
      : { clientSubnet: buildClientSubnet(input.dns.clientSubnet, report) }),
    ...(bindings.length === 0 ? {} : { bindings }),
  };
}

/** A stream is worth a longer way than a viewer's staying where he is. */
const AFFINITY_WITHIN = { stream: { km: 500, share: 0.2 }, viewer: { km: 200, share: 0.1 } };

function affinityOf({ affinity, affinityWithin, streamPath }: ServiceInput): Partial<Service> {
  if (affinity === "none") return {};
  const { km, share } = AFFINITY_WITHIN[affinity];
  return {
    affinityWithin: { km: affinityWithin?.km ?? km, share: affinityWithin?.share ?? share },
    ...(streamPath === undefined ? {} : { streamPath }),
  };
}

function buildClientSubnet(
  rules: NonNullable<ServiceInput["dns"]["clientSubnet"]>,
  report: Report,
): ClientSubnetRules {
  const { enabled, minimum4, maximum4, minimum6, maximum6 } = rules;
  if (minimum4 > maximum4)
    report(["dns", "clientSubnet", "minimum4"], "more than maximum4; write that or less");
  if (minimum6 > maximum6)
    report(["dns", "clientSubnet", "minimum6"], "more than maximum6; write that or less");
  const scope = { 4: { min: minimum4, max: maximum4 }, 6: { min: minimum6, max: maximum6 } };
  return { isEnabled: enabled, scope };
}

/** A hostname, or each path pattern of it, has one service. */
function checkHostnamesDiffer(inputs: ReadonlyMap<string, ServiceInput>, known: Known, report: Report): void {
  const first = new Map<string, readonly (string | number)[]>();
  for (const [id, { hostnames, paths }] of inputs) {
    hostnames.forEach((hostname, i) => {
      const path = ["services", id, "hostnames", i];
      for (const pattern of paths ?? ["*"]) {
        const name = `${hostname} ${pattern}`;
        const earlier = first.get(name);
        if (earlier === undefined) first.set(name, path);
        else
          report(path, `${VALUE} is a hostname already at ${known.place(earlier)}; ${oneService(pattern)}`);
      }
    });
  }
}

function oneService(pattern: string): string {
  return pattern === "*"
    ? "a hostname has one service, unless they differ in paths"
    : `one of the two needs other paths than ${pattern}`;
}

function checkZones({ hostnames }: ServiceInput, { zones }: Known, report: Report): void {
  hostnames.forEach((hostname, i) => {
    if (zones.some((zone) => isWithin(hostname.replace(/^\*\./, ""), zone))) return;
    const right =
      zones.length === 0 ? "there is none yet: add one under zones" : `the zones are ${zones.join(", ")}`;
    report(["hostnames", i], `${VALUE} is outside every zone; ${right}`);
  });
}

function checkAffinity({ affinity, affinityWithin, streamPath }: ServiceInput, report: Report): void {
  const isUnused = affinity === "none";
  if (isUnused && affinityWithin !== undefined)
    report(
      ["affinityWithin"],
      "has no effect without affinity; add affinity: stream or viewer, or leave it out",
    );
  if (affinity !== "stream" && streamPath !== undefined)
    report(["streamPath"], "has no effect without affinity: stream; add that, or leave it out");
}

function checkExperience({ experience, rank }: ServiceInput, report: Report): void {
  if (experience === undefined) return;
  if (rank !== "nearest")
    report(
      ["experience"],
      "adds to distances, which count for rank: nearest alone; set that, or leave it out",
    );
}

function checkFallback({ whenDown, fallback }: ServiceInput, report: Report): void {
  if (whenDown === "fallback" && fallback === undefined) {
    report(
      ["whenDown"],
      "says fallback, and the service has none; add fallback: { url: …, addresses: [...] }",
    );
  }
  if (fallback !== undefined && fallback.url === undefined && fallback.addresses.length === 0) {
    report(["fallback"], "empty; give a url, addresses or both");
  }
  if (fallback !== undefined) checkHosts(fallback.addresses, under(report, "fallback"));
}

function fallbackOf({ url, addresses }: NonNullable<ServiceInput["fallback"]>): Fallback {
  return { ...(url === undefined ? {} : { url }), addresses };
}

/** Those of `ids` in their order, then those with any of `tags` in the file's order. */
function chooseEdges(choice: ServiceInput["edges"], known: Known, report: Report): number[] {
  const { ids = [], tags = [] } = choice ?? {};
  checkReferences(ids, tags, known, report);
  const all = choice === undefined;
  if (known.edgeIds.size === 0) report([], "has no edge: no edge is configured; add some under edges");
  else if (!all && ids.length + tags.length === 0) {
    report(["edges"], "chooses no edge; name ids or tags, or leave it out for every edge");
  }
  const byId = ids.flatMap((id) => known.edges.find((edge) => edge.id === id) ?? []);
  const byTag = known.edges.filter((edge) => all || edge.tags.some((tag) => tags.includes(tag)));
  return [...new Set([...byId, ...byTag])].map((edge) => edge.index);
}

function checkReferences(
  ids: readonly string[],
  tags: readonly string[],
  known: Known,
  report: Report,
): void {
  ids.forEach((id, i) => {
    if (known.edgeIds.has(id)) return;
    report(["edges", "ids", i], `there is no edge ${VALUE}${derived(didYouMean(id, known.edgeIds))}`);
  });
  tags.forEach((tag, i) => {
    if (known.tags.has(tag)) return;
    report(["edges", "tags", i], `no edge has the tag ${VALUE}${derived(didYouMean(tag, known.shownTags))}`);
  });
}
