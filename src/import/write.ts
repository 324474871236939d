import { Document, isMap, isScalar, isSeq, visit } from "yaml";
import type { Draft, DraftEdge, DraftService, Note } from "./draft.ts";

export interface WriteOptions {
  /** For services whose hostname the other program does not know. */
  readonly hostname: string;
  /** What was typed, for the head of the file. */
  readonly command: string;
}

/** The YAML of a draft; what needs a look stands at its head, too. */
export function writeDraft(draft: Draft, { hostname, command }: WriteOptions): string {
  const services = draft.services.map((service) => ({
    ...service,
    hostnames: service.hostnames ?? [hostname],
  }));
  const values = {
    listen: listenFor(draft.edges),
    zones: zonesFor(services.flatMap(({ hostnames }) => hostnames)),
    edges: Object.fromEntries(draft.edges.map((edge) => [edge.id, edgeValues(edge)])),
    services: Object.fromEntries(services.map((service) => [service.id, serviceValues(service)])),
  };
  const document = new Document(values, { aliasDuplicateObjects: false });
  document.commentBefore = headOf(command, draft.notes);
  layOut(document);
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

function listenFor(edges: readonly DraftEdge[]): object {
  const isNamed = edges.some(({ addresses = [] }) => addresses.length > 0);
  return { ...(isNamed ? { dns: ["127.0.0.1:8053"] } : {}), http: ["127.0.0.1:8080"], ops: "127.0.0.1:9153" };
}

/** One above each hostname, without those that lie in another. */
function zonesFor(hostnames: readonly string[]): object {
  const parents = hostnames.map((name) => name.replace(/^\*\./, "")).map(parentOf);
  const outer = [...new Set(parents)].filter(
    (zone, _, all) => !all.some((other) => zone.endsWith(`.${other}`)),
  );
  return Object.fromEntries(
    outer.map((zone) => [zone, { nameservers: [`ns1.${zone}`], contact: `hostmaster@${zone}` }]),
  );
}

function parentOf(name: string): string {
  const dot = name.indexOf(".");
  return dot < 0 || !name.slice(dot + 1).includes(".") ? name : name.slice(dot + 1);
}

function edgeValues({ location, ...edge }: DraftEdge): object {
  return given({ location: location ?? NOWHERE, ...edge, id: undefined });
}

/** Stands where the place of an edge is not known; a note says so. */
const NOWHERE = { latitude: 0, longitude: 0 };

function serviceValues(service: DraftService & { hostnames: readonly string[] }): object {
  const { hostnames, edges, ...rest } = service;
  return given({ hostnames, edges: edges && { ids: edges }, ...rest, id: undefined });
}

function given(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function headOf(command: string, notes: readonly Note[]): string {
  const lines = [
    ` Made by: ${command}`,
    " Look it over, then let `edgeward check` read it.",
    ...(notes.length === 0
      ? []
      : [" To look at, and not carried over:", ...notes.map((note) => `  ${noteLine(note)}`)]),
  ];
  return lines.map((line) => line.replaceAll(/\p{Cc}/gu, " ")).join("\n");
}

/** `FILE:LINE: message`. */
export function noteLine({ file, line, message }: Note): string {
  return `${file}${line === undefined ? "" : `:${line}`}: ${message}`;
}

/** Maps and lists of nothing but plain values stand in one line, as in the reference file. */
function layOut(document: Document): void {
  visit(document, {
    Collection(_, node) {
      const values = isMap(node) ? node.items.map(({ value }) => value) : isSeq(node) ? node.items : [];
      if (values.every((value) => isScalar(value) || (isSeq(value) && value.items.every(isScalar))))
        node.flow = true;
    },
  });
  for (const section of ["edges", "services", "zones", "listen"]) {
    const node = document.get(section);
    if (isMap(node)) node.flow = false;
  }
}
