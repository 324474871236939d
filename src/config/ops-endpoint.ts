import type { Endpoint } from "../model/inventory.ts";
import { Findings } from "./findings.ts";
import { endpoint } from "./leaf-network.ts";
import { parseYaml } from "./parse-yaml.ts";
import { readSources } from "./sources.ts";
import { plain, treeAt } from "./tree.ts";
import type { Environment } from "./variables.ts";

/**
 * Where the operators' door listens by this file, whatever else is wrong with it: who has just broken the file
 * still wants to reach the service that runs. `undefined` where the file does not tell.
 */
export async function readOpsEndpoint(file: string, environment: Environment): Promise<Endpoint | undefined> {
  const ignored = new Findings();
  const [main] = await readSources(file, ignored);
  const root = main?.file === file ? parseYaml(main, environment, ignored) : undefined;
  const written = root === undefined ? undefined : treeAt(root, ["listen", "ops"]);
  return written === undefined ? undefined : endpoint().safeParse(plain(written)).data;
}
