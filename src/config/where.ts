import type { Problem } from "../model/problem.ts";
import { Findings } from "./findings.ts";
import { parseYaml } from "./parse-yaml.ts";
import { readSource } from "./sources.ts";
import { formatPath, locate, type Path, writtenPath } from "./tree.ts";
import type { Environment } from "./variables.ts";

/** Where values stand in a main file that has been read without a problem. */
export async function whereWritten(
  mainFile: string,
  environment: Environment,
  paths: readonly Path[],
): Promise<readonly Omit<Problem, "message">[]> {
  const findings = new Findings();
  const source = await readSource(mainFile, findings);
  const root = source && parseYaml(source, environment, findings);
  return paths.map((path) => {
    if (root === undefined) return { file: mainFile, line: 1, column: 1, path: formatPath(path) };
    const written = writtenPath(root, path);
    return { ...locate(root, written).mark, path: formatPath(written) };
  });
}
