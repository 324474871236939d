import { existsSync } from "node:fs";

/** In a checkout. */
const HERE = "config/edgeward.yaml";
/** Where docs/service.md installs it. */
const INSTALLED = "/etc/edgeward/edgeward.yaml";

/** What is meant where no file is named. */
export function defaultConfigFile(exists: (file: string) => boolean = existsSync): string {
  return !exists(HERE) && exists(INSTALLED) ? INSTALLED : HERE;
}
