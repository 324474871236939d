import { createServer, type Server } from "node:http";
import { parseAddress } from "../base/address.ts";
import type { Edge } from "../model/edge.ts";
import type { Log } from "../model/log.ts";
import { answerAsEdge } from "./answer.ts";
import { readDemoStream } from "./media.ts";

/** Small edge servers on this machine, for a first look at edgeward without a CDN. */
export interface DemoEdges {
  readonly started: readonly StartedEdge[];
  readonly skipped: readonly SkippedEdge[];
  readonly stop: () => Promise<void>;
}

export interface StartedEdge {
  readonly edgeId: string;
  readonly host: string;
  readonly port: number;
}

export interface SkippedEdge {
  readonly edgeId: string;
  readonly reason: string;
  /** A command that makes it possible next time. */
  readonly remedy?: string;
}

/**
 * Starts a server for every edge whose url is plain http on a loopback address; the others are
 * skipped with a reason. Throws only where the program's own media are missing.
 */
export async function startDemoEdges(edges: readonly Edge[], log: Log): Promise<DemoEdges> {
  const stream = readDemoStream();
  const running: { edge: StartedEdge; server: Server }[] = [];
  const skipped: SkippedEdge[] = [];
  for (const edge of edges) {
    const place = placeOf(edge);
    if (place === undefined) {
      skipped.push({ edgeId: edge.id, reason: "its url is not plain http on a loopback address" });
      continue;
    }
    const server = createServer(answerAsEdge(edge.id, stream));
    const failure = await listen(server, place);
    if (failure === undefined) running.push({ edge: { edgeId: edge.id, ...place }, server });
    else skipped.push({ edgeId: edge.id, ...whySkipped(failure, place) });
  }
  for (const { edge } of running) log.info({ ...edge }, "demo edge started");
  for (const edge of skipped) log.warn({ ...edge }, "demo edge skipped");
  return {
    started: running.map(({ edge }) => edge),
    skipped,
    stop: async () => void (await Promise.all(running.map(({ server }) => close(server)))),
  };
}

interface Place {
  readonly host: string;
  readonly port: number;
}

function placeOf(edge: Edge): Place | undefined {
  if (edge.url === undefined || !URL.canParse(edge.url)) return undefined;
  const url = new URL(edge.url);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (url.protocol !== "http:" || !isLoopback(host)) return undefined;
  return { host, port: url.port === "" ? 80 : Number(url.port) };
}

/** 127.0.0.0/8 (RFC 1122 3.2.1.3) or ::1 (RFC 4291 2.5.3). */
function isLoopback(host: string): boolean {
  const address = parseAddress(host);
  return address?.family === 4 ? address.bytes[0] === 127 : host === "::1";
}

function listen(server: Server, place: Place): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    server.once("error", resolve);
    server.listen({ ...place, exclusive: true }, () => resolve(undefined));
  });
}

/** The operator's words for a failed `listen`. */
export function whySkipped(error: NodeJS.ErrnoException, place: Place): Omit<SkippedEdge, "edgeId"> {
  const where = place.host.includes(":") ? `[${place.host}]:${place.port}` : `${place.host}:${place.port}`;
  switch (error.code) {
    case "EADDRNOTAVAIL":
      return { reason: `this machine has no address ${place.host}`, ...remedyFor(place.host) };
    case "EADDRINUSE":
      return { reason: `${where} is in use by another edge or another program; stop it, or change the url` };
    case "EACCES":
      return { reason: `${where} may not be opened by this user; ports below 1024 belong to root` };
    default:
      return { reason: `${where} cannot be opened: ${error.code ?? error.message}` };
  }
}

/** macOS has 127.0.0.1 only; Linux has all of 127.0.0.0/8. */
function remedyFor(host: string): { remedy?: string } {
  return host.includes(":") ? {} : { remedy: `sudo ifconfig lo0 alias ${host} up` };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
