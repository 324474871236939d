import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { formatPrefix, parseAddress } from "../base/address.ts";
import { formatEndpoint } from "../base/endpoint.ts";
import type { Reach } from "../base/reach.ts";
import type { CertificateFiles, Inventory, Place, Token } from "../model/inventory.ts";
import { whyNotAsked } from "./build-edges.ts";
import { readPrefix } from "./leaf-network.ts";
import { type Door, doorsOf, isLoopback, overlap } from "./doors.ts";
import { VALUE } from "./reading.ts";
import type { Report } from "./report.ts";
import type { FileInput } from "./schema.ts";
import { type Path, type Tree, isEmpty, treeAt } from "./tree.ts";
import type { Environment } from "./variables.ts";
import { USUAL_PROBE_TIMEOUT_MS, timeoutOf } from "./timing.ts";

/** Without a door for viewers there is nothing to do. */
export function checkListening(root: Tree, report: Report): void {
  if (["dns", "http", "https"].some((door) => hasItems(root, ["listen", door]))) return;
  report(["listen"], "no door for viewers; give listen.dns, listen.http or both");
}

/** No two doors can open on one address and port, nor on every address and one of them; DNS too has a TCP side. */
export function checkDoors(file: FileInput, report: Report): void {
  const byPort = new Map<number, Door[]>();
  for (const door of doorsOf(file)) {
    const { port } = door.endpoint;
    const others = byPort.get(port) ?? [];
    byPort.set(port, [...others, door]);
    const earlier = port === 0 ? undefined : others.find((other) => overlap(other, door));
    if (earlier !== undefined) report(door.path, takenBy(earlier, door));
  }
}

function takenBy(earlier: Door, { endpoint }: Door): string {
  const name = earlier.path.join(".");
  return earlier.endpoint.host === endpoint.host
    ? `${VALUE} is taken already by ${name}; choose another port`
    : `${VALUE} overlaps with ${name}, ${formatEndpoint(earlier.endpoint)}; choose another port, or leave one of them out`;
}

/** Only the viewers' HTTP doors read PROXY headers. */
export function checkProxyProtocol(file: FileInput, root: Tree, report: Report): void {
  if (file.proxyProtocol === undefined) return;
  if (["http", "https"].some((door) => hasItems(root, ["listen", door]))) return;
  report(["proxyProtocol"], "has no effect without listen.http or listen.https; add one, or leave it out");
}

/** The operators' door is open to the network only for those who hold a token. */
export function checkOpsDoor(file: FileInput, root: Tree, report: Report): void {
  const address = parseAddress(file.listen.ops.host);
  if (hasItems(root, ["ops", "tokens"]) || (address !== undefined && isLoopback(address))) return;
  report(
    ["listen", "ops"],
    `${VALUE} is not loopback and there are no tokens; add ops.tokens, or listen on 127.0.0.1`,
  );
}

/** @param edgeIds also of edges that are wrong in themselves */
export function buildTokens(file: FileInput, edgeIds: ReadonlySet<string>, report: Report): Token[] {
  const names = new Set<string>();
  return file.ops.tokens.flatMap((token, i): Token[] => {
    if (token === undefined) return [];
    const { name, role, edge, sha256 } = token;
    const path = ["ops", "tokens", i];
    if (names.has(name))
      report([...path, "name"], `${VALUE} names another token already; choose another name`);
    names.add(name);
    if (role === "reporter" && edge === undefined) {
      report(path, "a reporter speaks for one edge; add edge: with its id");
    }
    if (role !== "reporter" && edge !== undefined) {
      report([...path, "edge"], "only a reporter is bound to an edge; leave it out");
    } else if (edge !== undefined && !edgeIds.has(edge)) {
      report([...path, "edge"], `there is no edge ${VALUE}; write the id of one under edges`);
    }
    return [{ name, role, ...(edge === undefined ? {} : { edge }), sha256: sha256.toLowerCase() }];
  });
}

/** @param reportKey takes problems with the keys, which are networks */
export function buildPlaces(file: FileInput, keys: readonly string[], reportKey: Report): Place[] {
  const first = new Map<string, string>();
  return keys.flatMap((key): Place[] => {
    const reading = readPrefix(key);
    if (reading?.kind !== "read") {
      const why = reading?.message ?? "is not a network; write it as 192.0.2.0/24 or 2001:db8::/32";
      reportKey(["places", key], `this key ${why}`);
      return [];
    }
    const name = formatPrefix(reading.value);
    const earlier = first.get(name);
    if (earlier !== undefined) reportKey(["places", key], `the same network as ${earlier}; keep one of them`);
    first.set(name, key);
    const place = Object.hasOwn(file.places, key) ? file.places[key] : undefined;
    return place === undefined ? [] : [{ prefix: reading.value, ...withoutUndefined(place) }];
  });
}

export function canaryOf({ probing }: FileInput, reach: Reach, report: Report): Pick<Inventory, "canary"> {
  if (probing.canary === undefined) return {};
  const { addresses, port, interval, timeout } = probing.canary;
  addresses.forEach((address, i) => {
    const why = whyNotAsked(address, port, reach);
    if (why !== undefined)
      report(["probing", "canary", "addresses", i], `${VALUE} must not be probed: ${why}`);
  });
  const path = ["probing", "canary", "timeout"];
  const timeoutMs = timeoutOf({ interval, timeout }, USUAL_PROBE_TIMEOUT_MS, report, path, "a probe");
  return { canary: { addresses, port, intervalMs: interval, timeoutMs } };
}

/**
 * Where drains are kept: as configured, else in systemd's state directory, else beside the configuration; by the
 * configuration's name, since of two that share a folder neither may overwrite what the other keeps.
 */
export function stateFileOf(file: FileInput, mainFile: string, environment: Environment): string {
  const folder = dirname(resolve(mainFile));
  if (file.stateFile !== undefined) return absolute(file.stateFile, folder);
  const [directory] = (environment["STATE_DIRECTORY"] ?? "").split(":");
  const name = `${basename(mainFile).replace(/\.ya?ml$/, "")}.state.json`;
  return join(directory === undefined || directory === "" ? folder : resolve(directory), name);
}

export function buildListen(
  { listen }: FileInput,
  folder: string,
  whyUnusable: CheckCertificate,
  report: Report,
): Inventory["listen"] {
  const { https, mistserver: _, ...rest } = listen;
  if (https === undefined) return rest;
  const certificates = https.certificates.map((pair, i): CertificateFiles => {
    const files = { certificate: absolute(pair.certificate, folder), key: absolute(pair.key, folder) };
    const fault = whyUnusable(files);
    if (fault !== undefined)
      report(["listen", "https", "certificates", i, fault.of], `${VALUE} ${fault.reason}`);
    return files;
  });
  return { ...rest, https: { addresses: https.addresses, certificates } };
}

/** What is wrong with a certificate now; its files change without the configuration. */
export type CheckCertificate = (
  files: CertificateFiles,
) => { readonly of: "certificate" | "key"; readonly reason: string } | undefined;

/** Relative to the folder of the configuration. */
export function absolute(path: string, folder: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}

/** Also when what stands there is wrong: that is told elsewhere. */
function hasItems(root: Tree, path: Path): boolean {
  const tree = treeAt(root, path);
  return tree !== undefined && !isEmpty(tree) && !(tree.kind === "list" && tree.items.length === 0);
}

function withoutUndefined({ latitude, longitude, country, continent }: FileInput["places"][string]) {
  return {
    latitude,
    longitude,
    ...(country === undefined ? {} : { country }),
    ...(continent === undefined ? {} : { continent }),
  };
}
