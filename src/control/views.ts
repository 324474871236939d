/** What operators see of the inside: plain JSON from the inventory, the conditions and a decision. */
import { formatAddress, formatPrefix, maskBytes } from "../base/address.ts";
import type { Client } from "../model/client.ts";
import type { Condition } from "../model/condition.ts";
import type { Choice, Decision, Outcome, RejectionReason, Unreachable } from "../model/decision.ts";
import type { Edge } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Fallback, Service } from "../model/service.ts";
import type { ViewerRule } from "../model/viewer-rule.ts";
import { UP_IPV4, UP_IPV6, type World } from "../model/world.ts";
import type {
  ChoiceView,
  EdgeView,
  ExplainView,
  FallbackView,
  OutcomeView,
  RejectionView,
  ServiceView,
  StaleStreamsView,
  ViewerRuleView,
} from "../model/views.ts";

/** @param keptBy ids of services that go on sending viewers there */
export function edgeView(
  edge: Edge,
  { edgeId, ...condition }: Condition,
  world: World,
  keptBy: readonly string[],
): EdgeView {
  return {
    id: edgeId,
    index: edge.index,
    tags: edge.tags,
    location: edge.location,
    addresses: edge.addresses.map(formatAddress),
    ...(edge.url === undefined ? {} : { url: edge.url }),
    capacity: edge.capacity,
    weight: edge.weight,
    priceKm: world.priceKm[edge.index] as number,
    ...(keptBy.length === 0 ? {} : { keptBy }),
    ...condition,
  };
}

const STREAM_NAMES_MAX = 10;

export function staleStreamsView(streams: ReadonlySet<string>): StaleStreamsView {
  return { count: streams.size, names: [...streams].sort().slice(0, STREAM_NAMES_MAX) };
}

export function serviceView(service: Service, inventory: Inventory): ServiceView {
  const { id, hostnames, paths, rank, affinity, dns, http, maxDistanceKm, whenFull, whenDown } = service;
  const { allow, deny, fallback } = service;
  return {
    id,
    hostnames,
    ...(paths && { paths }),
    edges: service.edges.map((index) => (inventory.edges[index] as Edge).id),
    rank,
    affinity,
    dns: { ttlSeconds: dns.ttlSeconds, ttlInDoubtSeconds: dns.ttlInDoubtSeconds, answers: dns.answers },
    http,
    ...(Number.isFinite(maxDistanceKm) && { maxDistanceKm }),
    whenFull,
    whenDown,
    ...(allow && { allow: ruleView(allow) }),
    ...(deny && { deny: ruleView(deny) }),
    ...(fallback && { fallback: fallbackView(fallback) }),
  };
}

export interface Rejected {
  readonly edge: Edge;
  readonly reason: RejectionReason | Unreachable;
  readonly distanceKm: number;
}

export function explainView(decision: Decision, client: Client, rejected: readonly Rejected[]): ExplainView {
  const { location, asn } = decision;
  return {
    service: decision.service.id,
    rank: decision.service.rank,
    viewer: {
      address: formatAddress(client.address),
      prefix: formatPrefix({ ...client.address, length: client.prefixLength }),
      ...location,
      ...(asn === undefined ? {} : { asn }),
    },
    edges: decision.edges.map(choiceView),
    rejected: rejected.map(rejectionView).sort((a, b) => (a.distanceKm ?? 0) - (b.distanceKm ?? 0)),
    outcome: outcomeView(decision.outcome),
    ttlSeconds: decision.ttlSeconds,
    scopePrefix: scopeOf(client, decision.scopePrefixLength),
  };
}

function scopeOf({ address }: Client, length: number): string {
  return formatPrefix({ family: address.family, bytes: maskBytes(address.bytes, length), length });
}

function choiceView({ edge, distanceKm, priceKm, correctionKm, favour, loadRatio, up }: Choice): ChoiceView {
  const isUp = { 4: (up & UP_IPV4) !== 0, 6: (up & UP_IPV6) !== 0 };
  const down = [4 as const, 6 as const].filter(
    (family) => !isUp[family] && edge.addresses.some((address) => address.family === family),
  );
  return {
    id: edge.id,
    ...(edge.url === undefined ? {} : { url: edge.url }),
    distanceKm: known(distanceKm),
    priceKm,
    ...(correctionKm === undefined ? {} : { correctionKm }),
    ...(favour && { favour }),
    load: known(loadRatio),
    up: isUp,
    ...(down.length === 0 ? {} : { down }),
  };
}

function rejectionView({ edge, reason, distanceKm }: Rejected): RejectionView {
  return { id: edge.id, reason, distanceKm: known(distanceKm) };
}

function outcomeView(outcome: Outcome): OutcomeView {
  switch (outcome.kind) {
    case "edges":
    case "overload":
    case "fail-open":
      return { kind: outcome.kind };
    case "fallback":
      return { kind: outcome.kind, fallback: fallbackView(outcome.fallback) };
    case "refused":
      return { kind: outcome.kind, reason: outcome.reason };
  }
}

function ruleView(rule: ViewerRule): ViewerRuleView {
  return { ...rule, networks: rule.networks.map(formatPrefix) };
}

function fallbackView({ url, addresses }: Fallback): FallbackView {
  return { ...(url === undefined ? {} : { url }), addresses: addresses.map(formatAddress) };
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
