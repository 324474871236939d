import { Findings } from "./findings.ts";
import { digestOf, readSources } from "./sources.ts";

/** Of what `loadConfig` would read now. */
export async function digestOfFiles(file: string): Promise<string> {
  const findings = new Findings();
  return digestOf(await readSources(file, findings), findings);
}
