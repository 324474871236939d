import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Answer, done } from "../cli/answer.ts";
import { serverUrl } from "../cli/client.ts";
import { readOpsEndpoint } from "../config/ops-endpoint.ts";
import type { Problem } from "../model/problem.ts";

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
  const read = await readOpsEndpoint(resolve(configFile), process.env);
  switch (read.kind) {
    case "told":
      return done(serverUrl(read.endpoint));
    case "untold":
      return done(undefined);
    case "unreadable":
      return isNamed ? unknown(read.problems) : done(undefined);
    case "unclear":
      return unknown(read.problems);
  }
}

/** Rather than to ask, or to drain an edge, at the usual address: another service may be there. */
function unknown(problems: readonly Problem[]): Answer<never> {
  const meanwhile = "it does not tell where the service is: name that with --server URL";
  return { kind: "wrong-configuration", problems, meanwhile };
}
