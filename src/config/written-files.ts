import { dirname, resolve } from "node:path";
import type { Inventory } from "../model/inventory.ts";
import { VALUE } from "./reading.ts";
import type { Report } from "./report.ts";
import { edgesFolder } from "./sources.ts";
import type { Path } from "./tree.ts";

/** What edgeward writes to is nothing that it reads, and no two of them are one: what was there would be lost. */
export function checkWrittenFiles(inventory: Inventory, report: Report): void {
  const taken = filesReadBy(inventory);
  const edges = edgesFolder(inventory.file);
  for (const { path, file } of filesWrittenBy(inventory)) {
    const isOfEdges = dirname(file) === edges && /\.ya?ml$/.test(file);
    const owner = isOfEdges ? "a file of edges" : taken.get(file);
    if (owner !== undefined)
      report(path, `${VALUE} is ${owner}, which would be lost; name a file of its own`);
    taken.set(file, "where the drains are kept");
  }
}

function filesReadBy({ file, geoip, listen }: Inventory): Map<string, string> {
  const pairs = listen.https?.certificates ?? [];
  return new Map([
    ...[...geoip.city, ...geoip.asn].map((path) => [resolve(path), "a database"] as const),
    ...pairs.map(({ certificate }) => [resolve(certificate), "a certificate"] as const),
    ...pairs.map(({ key }) => [resolve(key), "the key of a certificate"] as const),
    [file, "the configuration itself"],
  ]);
}

function filesWrittenBy({ stateFile, dns }: Inventory): { path: Path; file: string }[] {
  const log = dns.queryLog?.destination;
  return [
    { path: ["stateFile"], file: resolve(stateFile) },
    ...(log === undefined || log === "stdout"
      ? []
      : [{ path: ["dns", "queryLog", "destination"], file: resolve(log) }]),
  ];
}
