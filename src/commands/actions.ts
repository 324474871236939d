/**
 * What the commands do. What only one of them needs is loaded when that one is asked for: a service goes on without
 * it.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { CliActions, ServeOptions } from "../cli/actions.ts";
import type { Answer } from "../cli/answer.ts";
import { loadFirstConfigInThread } from "../config/thread.ts";
import { IMPORT_FORMATS } from "../import/formats.ts";
import { defaultConfigFile } from "./default-config-file.ts";

export function createActions(): CliActions {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  const usualFile = defaultConfigFile();
  return {
    version,
    defaultConfigFile: usualFile,
    serve: (options) => serveBy(options, version),
    check: async (...asked) => (await import("./check.ts")).check(...asked),
    geo: async (...asked) => (await import("./geo.ts")).geo(...asked),
    load: async (...asked) => (await import("./load.ts")).load(...asked),
    probe: async (...asked) => (await import("./probe.ts")).probe(...asked),
    steer: async (...asked) => (await import("./steer.ts")).steer(...asked),
    agent: async (options) => (await import("./agent.ts")).runAgent(options),
    importFormats: IMPORT_FORMATS,
    import: async (options) => (await import("./import.ts")).runImport(options),
    schema: async () => (await import("../config/schema.ts")).jsonSchema(),
    defaultServer: async (configFile) =>
      (await import("./default-server.ts")).defaultServer(configFile, configFile !== usualFile),
  };
}

/** The configuration is read while the rest of the program is loaded. */
async function serveBy({ configFile, demo }: ServeOptions, version: string): Promise<Answer<void>> {
  const environment = process.env;
  const loading = loadFirstConfigInThread(resolve(configFile), {
    environment,
    nowMs: Date.now(),
    generation: 1,
  });
  const [{ serve }, { withCompiledNames }] = await Promise.all([
    import("./serve.ts"),
    import("../control/compiled-names.ts"),
  ]);
  const loaded = await withCompiledNames(await loading);
  return loaded.kind === "ok"
    ? serve({ inventory: loaded.inventory, configFile, demo, version, environment })
    : { kind: "wrong-configuration", problems: loaded.problems };
}
