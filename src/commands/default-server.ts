import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Answer, done } from "../cli/answer.ts";
import { serverUrl } from "../cli/client.ts";
import { readOpsEndpoint } from "../config/ops-endpoint.ts";

/** @param isNamed whether somebody has named the file */
export async function defaultServer(
  configFile: string,
  isNamed: boolean,
): Promise<Answer<string | undefined>> {
  if (isNamed && !existsSync(configFile)) {
    const message = "does not exist; name the configuration with -c FILE, or the service with --server URL";
    return {
      kind: "wrong-configuration",
      problems: [{ file: configFile, line: 1, column: 1, path: "", message }],
    };
  }
  const endpoint = await readOpsEndpoint(resolve(configFile), process.env);
  return done(endpoint === undefined ? undefined : serverUrl(endpoint));
}
