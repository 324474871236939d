import { SaxesParser } from "saxes";
import { type Draft, type DraftEdge, notesOn, type Original, type Refused, refused } from "./draft.ts";
import { createIds, nameNote, readHost } from "./host.ts";

interface Node {
  readonly line: number;
  readonly number: string;
  readonly values: Map<string, Value>;
}

interface Value {
  text: string;
  readonly line: number;
}

interface Balancer {
  readonly line: number;
  readonly attributes: { readonly [name: string]: string };
  readonly nodes: readonly Node[];
}

/** `loadbalancing.xml` of Flashphoner Web Call Server: nodes, and how one of them was chosen. */
export function importFlashphoner(original: Original): Draft | Refused {
  const balancer = parse(original);
  if ("kind" in balancer) return balancer;
  const { notes, note } = notesOn(original);
  const idOf = createIds();
  const edges = balancer.nodes.flatMap((node): DraftEdge[] => {
    const { text: written, line = node.line } = node.values.get("ip") ?? { text: "" };
    const host = readHost(written);
    if (host === undefined) {
      note(`node ${node.number}: no usable ip; left out`, line);
      return [];
    }
    for (const [name, { line }] of node.values)
      if (!KNOWN.has(name)) note(`node ${node.number}: ${name} has no counterpart here`, line);
    if (host.address === undefined) note(nameNote(host), line);
    const port = portOf(node, note);
    return [
      {
        id: idOf(host.text),
        ...(host.address === undefined ? {} : { addresses: [host.address] }),
        url: `https://${host.text}${port === 443 ? "" : `:${port}`}`,
        urls: { wss: `wss://${host.text}:${port}` },
        capacity: { viewers: 1000 },
        probe: { type: "websocket", port, secure: true },
        load: { type: "flashphoner", url: `http://${host.text}:8081` },
      },
    ];
  });
  if (edges.length === 0) return refused(original, "no <node> with a usable <ip> in it");
  note("capacity is assumed: WCS compares streams as such; write what each edge can carry");
  const service = { id: "webrtc", rank: rankOf(balancer, note) };
  return { edges, services: [service], notes };
}

type Take = (message: string, line?: number) => void;

const KNOWN = new Set(["ip", "wss"]);
/** Where WCS takes secure WebSockets unless it was told otherwise. */
const USUAL_PORT = 8443;

function portOf({ values, number, line }: Node, note: Take): number {
  const wss = values.get("wss");
  const port = Number(wss?.text);
  if (wss !== undefined && Number.isInteger(port) && port > 0 && port < 65_536) return port;
  note(`node ${number}: no usable wss port; ${USUAL_PORT} is taken`, wss?.line ?? line);
  return USUAL_PORT;
}

function rankOf({ attributes, line }: Balancer, note: Take): "least-loaded" | "weighted" {
  const mode = (attributes["mode"] ?? "FEWESTCALLS").toUpperCase();
  if (attributes["randomize"]?.toLowerCase() === "true")
    note("randomize: among equals viewers are always spread here", line);
  const { stream_distribution: distribution } = attributes;
  if (distribution !== undefined)
    note(`stream_distribution ${distribution}: streams between nodes are WCS's own affair`, line);
  if (mode === "RANDOM" || mode === "ROUNDROBIN") return "weighted";
  if (mode.startsWith("LE"))
    note(`mode ${mode} goes by CPU alone; here least-loaded goes by the share of capacity in use`, line);
  else if (mode !== "FEWESTCALLS") note(`mode ${mode} is not known; least-loaded is taken`, line);
  return "least-loaded";
}

function parse(original: Original): Balancer | Refused {
  const parser = new SaxesParser<{ xmlns: false; position: true }>({ xmlns: false, position: true });
  const nodes: Node[] = [];
  const path: string[] = [];
  let balancer: Balancer | undefined;
  let problem: Refused | undefined;
  parser.on("doctype", (doctype) => {
    if (doctype.includes("<!ENTITY")) problem ??= refused(original, "it declares entities", parser.line);
  });
  parser.on("opentag", ({ name, attributes }) => {
    const { line } = parser;
    if (path.length === 0 && name === "loadbalancer") balancer = { line, attributes, nodes };
    if (path.length === 1 && name === "node")
      nodes.push({ line, number: attributes["id"] ?? String(nodes.length + 1), values: new Map() });
    if (path.length === 2) nodes.at(-1)?.values.set(name, { text: "", line });
    path.push(name);
  });
  parser.on("text", (text) => {
    const value = path.length === 3 ? nodes.at(-1)?.values.get(path[2] ?? "") : undefined;
    if (value !== undefined) value.text += text.trim();
  });
  parser.on("closetag", () => void path.pop());
  parser.on("error", () => {
    problem ??= refused(original, "its XML is cut short or broken", parser.line);
  });
  parser.write(original.text).close();
  return problem ?? balancer ?? refused(original, "no <loadbalancer> at its root");
}
