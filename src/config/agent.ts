import { z } from "zod";
import type { LoadSource } from "../model/edge.ts";
import type { Problem } from "../model/problem.ts";
import { buildLoad } from "./build-load.ts";
import { addUnknownEmptyKeys } from "./empty-keys.ts";
import { Findings } from "./findings.ts";
import { addIssues, sayIssue } from "./issues.ts";
import { secret, text } from "./leaf.ts";
import { baseUrl } from "./leaf-network.ts";
import { parseYaml, type Source } from "./parse-yaml.ts";
import { loadSchema } from "./schema-load.ts";
import { type Advice, readSource } from "./sources.ts";
import { plain, type Tree } from "./tree.ts";
import type { Environment } from "./variables.ts";

/** What `edgeward agent` reads, and for whom; what the file leaves out, the command line gives. */
export interface AgentSettings {
  readonly edge?: string;
  readonly server?: string;
  readonly token?: string;
  readonly load: readonly LoadSource[];
}

export type LoadedAgent =
  | { readonly kind: "ok"; readonly settings: AgentSettings }
  | { readonly kind: "problems"; readonly problems: readonly Problem[] };

const agentSchema = z.strictObject({
  edge: text("an edge's id", "write the id of the edge that this machine is").optional(),
  server: baseUrl().optional(),
  token: secret("a token").optional(),
  load: loadSchema,
});

const advice: Advice = {
  absent: "name the agent's file with --file FILE",
  empty: "write edge:, server: and load: into it",
  noFile: "name one with --file FILE",
};

/** The agent's own file. Whatever it holds, it does not throw. */
export async function loadAgent(file: string, environment: Environment): Promise<LoadedAgent> {
  const findings = new Findings();
  const source = await readSource(file, findings, advice);
  const settings = source === undefined ? undefined : settingsIn(source, environment, findings);
  return settings === undefined || findings.count > 0
    ? { kind: "problems", problems: findings.sorted(file) }
    : { kind: "ok", settings };
}

/** A load source named on the command line, where a secret has no place. */
export function agentFor(type: string, url: string): LoadedAgent {
  const findings = new Findings();
  const file = "--source and --url";
  // Of push, what is wrong is the type alone.
  const load = type === "push" ? { type } : { type, url };
  const settings = settingsIn({ file, text: JSON.stringify({ load }) }, {}, findings);
  return settings === undefined || findings.count > 0
    ? { kind: "problems", problems: findings.sorted(file) }
    : { kind: "ok", settings };
}

function settingsIn(source: Source, environment: Environment, findings: Findings): AgentSettings | undefined {
  const root = parseYaml(source, environment, findings);
  if (root === undefined) return undefined;
  const parsed = agentSchema.safeParse(plain(root), { error: sayIssue });
  addUnknownEmptyKeys(agentSchema, root, [], findings);
  if (parsed.success) return built(parsed.data, root, findings);
  addIssues(parsed.error.issues, root, [], findings);
  return undefined;
}

function built(
  { edge, server, token, load }: z.infer<typeof agentSchema>,
  root: Tree,
  findings: Findings,
): AgentSettings {
  const sources = [load].flat().map((source, i) => {
    const path = Array.isArray(load) ? ["load", i] : ["load"];
    if (source.type === "push")
      findings.at(root, [...path, "type"], "an agent reads what it pushes; name the server that it reads");
    return buildLoad(source, (rest, message) => findings.at(root, [...path, ...rest], message));
  });
  return {
    ...(edge === undefined ? {} : { edge }),
    ...(server === undefined ? {} : { server }),
    ...(token === undefined ? {} : { token }),
    load: sources,
  };
}
