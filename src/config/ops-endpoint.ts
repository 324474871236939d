import type { Endpoint } from "../model/inventory.ts";
import type { Problem } from "../model/problem.ts";
import { Findings } from "./findings.ts";
import { addIssues, sayIssue } from "./issues.ts";
import { endpoint } from "./leaf-network.ts";
import { parseYaml } from "./parse-yaml.ts";
import { readSource } from "./sources.ts";
import { isEmpty, plain, treeAt } from "./tree.ts";
import type { Environment } from "./variables.ts";

export type OpsEndpoint =
  | { readonly kind: "told"; readonly endpoint: Endpoint }
  /** The file leaves it to the default. */
  | { readonly kind: "untold" }
  | { readonly kind: "unreadable"; readonly problems: readonly Problem[] }
  /** There is a text that does not say it: it is no YAML, or what it says there is no address. */
  | { readonly kind: "unclear"; readonly problems: readonly Problem[] };

const PATH = ["listen", "ops"];

/**
 * Where the operators' door listens by this file, whatever else is wrong with it: who has just broken the file
 * still wants to reach the service that runs.
 */
export async function readOpsEndpoint(file: string, environment: Environment): Promise<OpsEndpoint> {
  const findings = new Findings();
  const source = await readSource(file, findings);
  if (source === undefined) return { kind: "unreadable", problems: findings.sorted(file) };
  const root = parseYaml(source, environment, findings);
  if (root === undefined) return { kind: "unclear", problems: findings.sorted(file) };
  const written = treeAt(root, PATH);
  if (written === undefined || isEmpty(written)) return { kind: "untold" };
  const parsed = endpoint().safeParse(plain(written), { error: sayIssue });
  if (parsed.success) return { kind: "told", endpoint: parsed.data };
  findings.nextStage();
  addIssues(parsed.error.issues, root, PATH, findings);
  const ofIt = findings.sorted(file).filter(({ path }) => path === PATH.join("."));
  return { kind: "unclear", problems: ofIt };
}
