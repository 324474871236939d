import { readCertificate } from "../base/certificate.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Problem } from "../model/problem.ts";
import type { CheckCertificate } from "./build-server.ts";
import { Findings } from "./findings.ts";
import { interpret } from "./interpret.ts";
import { digestOf, type SourceFile, edgesFolder, readSources } from "./sources.ts";
import type { Environment } from "./variables.ts";
import { stat } from "node:fs/promises";

export interface LoadOptions {
  /** Where `${NAME}` and `$STATE_DIRECTORY` come from. */
  readonly environment: Environment;
  /** Wall clock, milliseconds since 1970: no SOA serial is later. */
  readonly nowMs: number;
  /** Of the inventory, if there will be one. */
  readonly generation: number;
  /** Whether a certificate that cannot be served is a problem: not where a good one is in use. */
  readonly areCertificatesInUse?: boolean;
}

export type LoadedConfig =
  | {
      readonly kind: "ok";
      readonly inventory: Inventory;
      /** What was read, the main file first. */
      readonly files: readonly string[];
      readonly digest?: string;
    }
  | {
      readonly kind: "problems";
      /** Sorted by file, line and column; never empty. */
      readonly problems: readonly Problem[];
      /** Of the texts, as `digestOfFiles` of digest.ts gives it; absent where nobody knows what was read. */
      readonly digest?: string;
    };

/**
 * Reads the configuration and the files of `edges.d` beside it: an inventory, or every problem there is.
 * Whatever the files hold, it does not throw.
 */
export async function loadConfig(file: string, options: LoadOptions): Promise<LoadedConfig> {
  const findings = new Findings();
  const sources = await readSources(file, findings);
  const digest = digestOf(sources, findings);
  const serial = serialOf(await newestMs(file, sources), options.nowMs);
  const { environment, generation, nowMs } = options;
  const whyUnusable: CheckCertificate = (files) => {
    if (options.areCertificatesInUse === true) return undefined;
    const read = readCertificate(files, nowMs);
    return read.kind === "unusable" ? read : undefined;
  };
  const circumstances = { mainFile: file, environment, generation, serial, whyUnusable };
  const inventory = interpret(sources, circumstances, findings);
  if (inventory === undefined) return { kind: "problems", problems: findings.sorted(file), digest };
  return { kind: "ok", inventory, files: sources.map((source) => source.file), digest };
}

/** The folder counts too: its time moves when a file is taken out of it. */
async function newestMs(mainFile: string, sources: readonly SourceFile[]): Promise<number> {
  const folderMs = await stat(edgesFolder(mainFile)).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  return Math.max(folderMs, ...sources.map(({ mtimeMs }) => mtimeMs));
}

/** Seconds since 1970 of the last edit: grows with edits, and differs only by them (RFC 1035 3.3.13). */
function serialOf(editedMs: number, nowMs: number): number {
  return Math.floor(Math.min(editedMs, nowMs) / 1000) % 2 ** 32;
}
