import { contains, formatAddress, parseAddress } from "../base/address.ts";
import { type Reach, type Refusal, refusalOfWritten } from "../base/reach.ts";
import type { Address } from "../model/address.ts";
import type { Edge, LoadSource, Probe } from "../model/edge.ts";
import { buildLoad } from "./build-load.ts";
import { buildProbe } from "./build-probe.ts";
import { isOwnDoor } from "./doors.ts";
import { checkRule } from "./check-rule.ts";
import { checkHosts } from "./host-addresses.ts";
import { VALUE } from "./reading.ts";
import { type Report, under } from "./report.ts";
import type { EdgeInput } from "./schema-edge.ts";

/** Edges in the order given; what is wrong with one does not keep the others from being looked at. */
export function buildEdges(inputs: ReadonlyMap<string, EdgeInput>, reach: Reach, report: Report): Edge[] {
  return [...inputs].map(([id, input], index) =>
    buildEdge(id, index, input, reach, under(report, "edges", id)),
  );
}

function buildEdge(id: string, index: number, input: EdgeInput, reach: Reach, report: Report): Edge {
  checkReach(input, report);
  checkRule(input.preferredFor, "preferredFor", report);
  const probe = buildProbe(input.probe, input, under(report, "probe")) ?? { type: "none" };
  const load = [input.load ?? []].flat().map((each, i) => buildLoad(each, under(report, "load", i)));
  checkPushes(load, report);
  checkProbeTargets(probe, input, reach, report);
  load.forEach((source, i) => checkLoadTarget(source, i, reach, report));
  const { viewers, bandwidth, cpu, memory } = input.capacity;
  return {
    id,
    index,
    location: input.location,
    addresses: input.addresses,
    ...(input.url === undefined ? {} : { url: input.url }),
    ...(input.urls === undefined ? {} : { urls: input.urls }),
    tags: input.tags,
    capacity: {
      ...(viewers === undefined ? {} : { viewers }),
      ...(bandwidth === undefined ? {} : { bandwidth }),
      ...(cpu === undefined ? {} : { cpu }),
      ...(memory === undefined ? {} : { memory }),
    },
    weight: input.weight,
    ...(input.rampUp === undefined ? {} : { rampUpMs: input.rampUp }),
    ...(input.preferredFor === undefined ? {} : { preferredFor: input.preferredFor }),
    state: input.state,
    probe,
    load,
  };
}

/** A report is of the edge, not of one of its sources. */
function checkPushes(load: readonly LoadSource[], report: Report): void {
  const first = load.findIndex(({ type }) => type === "push");
  load.forEach(({ type }, i) => {
    if (type === "push" && i !== first)
      report(["load", i], "a second push, which nothing would reach; leave one of them out");
  });
}

function checkReach({ addresses, url }: EdgeInput, report: Report): void {
  if (addresses.length === 0 && url === undefined) {
    report([], "has neither addresses nor url, so no viewer can be sent there; give one of them");
  }
  const seen = new Set<string>();
  addresses.forEach((address, i) => {
    const text = formatAddress(address);
    if (seen.has(text)) report(["addresses", i], `${VALUE} is listed twice; leave one out`);
    seen.add(text);
  });
}

/** An edge without addresses is asked at the host of the url. */
function checkProbeTargets(probe: Probe, edge: EdgeInput, reach: Reach, report: Report): void {
  if (probe.type === "none") return checkHosts(edge.addresses, report);
  const port = "url" in probe ? portOf(probe.url) : probe.port;
  edge.addresses.forEach((address, i) => {
    const why = whyNotAsked(address, port, reach);
    if (why !== undefined) report(["addresses", i], `${VALUE} must not be probed: ${why}`);
  });
  if (!("url" in probe)) return;
  if ("url" in edge.probe && edge.probe.url !== undefined) {
    checkUrl(probe.url, ["probe", "url"], reach, report);
  } else if (edge.addresses.length === 0) {
    checkUrl(probe.url, ["url"], reach, report);
  }
}

function checkLoadTarget(source: LoadSource, index: number, reach: Reach, report: Report): void {
  if (source.type !== "push") checkUrl(source.url, ["load", index, "url"], reach, report);
}

/** Names are looked up, and checked, when they are asked; here only addresses that stand in the file. */
function checkUrl(url: string, path: (string | number)[], reach: Reach, report: Report): void {
  const address = parseAddress(new URL(url).hostname.replaceAll(/[[\]]/g, ""));
  const why = address && whyNotAsked(address, portOf(url), reach);
  if (why !== undefined) report(path, `${VALUE} must not be asked: ${why}`);
}

export function whyNotAsked(address: Address, port: number, reach: Reach): string | undefined {
  const refusal = refusalOfWritten(address, reach);
  if (refusal !== undefined) {
    return `it is ${refusalWords[refusal]}; name another, or allow its network in probing.allowedNetworks`;
  }
  const isAllowed = reach.allowed.some((prefix) => contains(prefix, address));
  return !isAllowed && isOwnDoor(reach.own, address, port)
    ? "edgeward itself listens there; name the edge's own port"
    : undefined;
}

const refusalWords: { readonly [refusal in Refusal]: string } = {
  "link-local": "a link-local address, as cloud metadata services have",
  multicast: "a multicast address",
  unspecified: "the unspecified address",
  broadcast: "the broadcast address",
  metadata: "the address of a cloud's metadata service",
  loopback: "a loopback address",
  "own-listener": "our own",
};

function portOf(text: string): number {
  const { port, protocol } = new URL(text);
  return port === "" ? (protocol === "https:" || protocol === "wss:" ? 443 : 80) : Number(port);
}
