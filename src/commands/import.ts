import { readFile } from "node:fs/promises";
import { parseAddress, widthOf } from "../base/address.ts";
import type { ImportOptions } from "../cli/actions.ts";
import { type Answer, done } from "../cli/answer.ts";
import type { ImportView } from "../cli/views.ts";
import { readHostname } from "../config/names.ts";
import { type Geo, openGeo } from "../geo/geo.ts";
import type { Original } from "../import/draft.ts";
import type { ImportFormat } from "../import/formats.ts";
import { type Guess, importFrom } from "../import/import.ts";
import { noteLine } from "../import/write.ts";

const OCTETS_MAX = 8 * 1024 * 1024;

/** Reads the files of another program and prints them as ours; edges without a place get GeoIP's guess. */
export async function runImport({ format, files, hostname }: ImportOptions): Promise<Answer<ImportView>> {
  const name = readHostname(hostname);
  if (name?.kind !== "read")
    return {
      kind: "wrong-usage",
      message: `--hostname: ${hostname} is not a hostname; write it as live.example.net`,
    };
  const originals: Original[] = [];
  for (const file of files) {
    const original = await readOriginal(file);
    if (typeof original === "string") return { kind: "no", message: original };
    originals.push(original);
  }
  const geo = await openGeo({ files: { city: [], asn: [] }, places: [], log: SILENT });
  geo.stop();
  const imported = importFrom(format as ImportFormat, originals as [Original, ...Original[]], {
    hostname: name.value,
    locate: (address) => guessAt(geo, address),
    command: `edgeward import ${format} ${files.join(" ")}`,
  });
  if (imported.kind === "imported") return done({ yaml: imported.yaml, notes: imported.notes.map(noteLine) });
  const { file, line, problem } = imported;
  return {
    kind: "no",
    message: noteLine({ file, message: problem, ...(line === undefined ? {} : { line }) }),
  };
}

/** Or why it cannot be read. */
async function readOriginal(file: string): Promise<Original | string> {
  try {
    const octets = await readFile(file);
    if (octets.length > OCTETS_MAX) return `${file} is longer than 8 MiB`;
    return { file, text: new TextDecoder("utf-8", { fatal: true }).decode(octets) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ERR_ENCODING_INVALID_ENCODED_DATA"
      ? `${file} is not UTF-8 text`
      : `${file} cannot be read (${code ?? "unknown error"})`;
  }
}

function guessAt(geo: Geo, text: string): Guess | undefined {
  const address = parseAddress(text);
  if (address === undefined) return undefined;
  const { location } = geo.explain({ address, prefixLength: widthOf(address.family), from: "asked" });
  const { latitude, longitude, city, country } = location;
  if (latitude === undefined || longitude === undefined) return undefined;
  return { latitude, longitude, words: [city, country].filter(Boolean).join(", ") || "no city" };
}

const SILENT = { info: () => {}, warn: () => {}, error: () => {} };
