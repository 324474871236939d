import type { Edge } from "../model/edge.ts";
import type { Endpoint, Inventory } from "../model/inventory.ts";
import type { SkippedEdge, StartedEdge } from "./edges.ts";

/** One thing to try: what it shows, and the line to type. */
type Hint = readonly [what: string, line: string];

/**
 * What the console prints under `serve --demo`: lines to copy, with the ports of this configuration.
 * @param flags added to every `edgeward` command, as `-c other.yaml`; empty for the default configuration
 */
export function demoHelp(
  inventory: Inventory,
  started: readonly StartedEdge[],
  skipped: readonly SkippedEdge[],
  flags = "",
): string {
  const hostname = exampleHostname(inventory);
  const edgeward = (words: string): string => `npx edgeward ${words}${flags === "" ? "" : ` ${flags}`}`;
  const sections = [
    section("Demo edges", [...started.map(startedHint), ...skipped.map(skippedHint)]),
    section("Ask for a viewer", hostname === undefined ? [] : viewerHints(inventory, hostname, edgeward)),
    section("Change something", operatorHints(inventory, edgeward)),
  ];
  return `${sections.filter((text) => text !== "").join("\n\n")}\n`;
}

function startedHint({ edgeId, host, port }: StartedEdge): Hint {
  return [edgeId, `${origin({ host, port })}${STREAM}`];
}

function skippedHint({ edgeId, reason, remedy }: SkippedEdge): Hint {
  return [edgeId, `not started: ${reason}${remedy === undefined ? "" : `; try: ${remedy}`}`];
}

const STREAM = "/live/stream.m3u8";

function viewerHints(inventory: Inventory, hostname: string, edgeward: (words: string) => string): Hint[] {
  const [dns] = inventory.listen.dns;
  const [http] = inventory.listen.http;
  const hints: Hint[] = [];
  if (dns !== undefined) {
    const server = `@${reachable(dns)} -p ${dns.port}`;
    hints.push(["DNS, from London", `dig ${server} ${hostname} +subnet=81.2.69.0/24 +short`]);
    hints.push(["DNS, from Tokyo", `dig ${server} ${hostname} +subnet=133.11.0.0/24 +short`]);
  }
  if (http !== undefined) {
    const url = `${origin(http)}${STREAM}`;
    const curl = `curl -i -H 'Host: ${hostname}'`;
    hints.push(["HTTP, from Tokyo", `${curl} -H 'X-Forwarded-For: 133.11.0.1' ${url}`]);
    hints.push(["HTTP, as JSON", `${curl} -H 'Accept: application/json' ${url}`]);
    hints.push(["play it", `ffplay -headers 'Host: ${hostname}' ${url}`]);
  }
  return [...hints, ["why that edge", edgeward(`explain ${hostname} 81.2.69.142`)]];
}

function operatorHints(inventory: Inventory, edgeward: (words: string) => string): Hint[] {
  const ops = origin(inventory.listen.ops);
  const hints: Hint[] = [["conditions", edgeward("edges")]];
  const [edge] = inventory.edges;
  if (edge !== undefined) {
    hints.push(["drain", edgeward(`drain ${edge.id} --reason 'trying it out'`)]);
    hints.push(["and back", edgeward(`undrain ${edge.id}`)]);
  }
  const reporter = inventory.edges.find((edge) => edge.load.some((source) => source.type === "push"));
  if (reporter !== undefined) hints.push(["push a load report", pushLine(inventory, reporter, ops)]);
  return [...hints, ["dashboard, in a browser", `${ops}/`]];
}

/** A report that nearly fills the edge, so that its price shows. */
function pushLine(inventory: Inventory, edge: Edge, ops: string): string {
  const { viewers } = edge.capacity;
  const report = viewers === undefined ? { cpu: 0.95 } : { viewers: Math.round(viewers * 0.95) };
  const token = inventory.ops.tokens.length === 0 ? "" : ` -H "Authorization: Bearer $EDGEWARD_TOKEN"`;
  return `curl -X PUT${token} -H 'Content-Type: application/json' -d '${JSON.stringify(report)}' ${ops}/v1/edges/${edge.id}/load`;
}

/** The first service's first name; a wildcard becomes a name that it covers. */
function exampleHostname(inventory: Inventory): string | undefined {
  return inventory.services[0]?.hostnames[0]?.replace(/^\*\./, "demo.");
}

function origin(endpoint: Endpoint): string {
  const host = reachable(endpoint);
  return `http://${host.includes(":") ? `[${host}]` : host}:${endpoint.port}`;
}

/** Where a listener on every address is reached from this machine. */
function reachable({ host }: Endpoint): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "::1" : host;
}

function section(title: string, hints: readonly Hint[]): string {
  if (hints.length === 0) return "";
  const width = Math.max(...hints.map(([what]) => what.length));
  return [title, ...hints.map(([what, line]) => `  ${what.padEnd(width)}  ${line}`)].join("\n");
}
