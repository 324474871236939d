import type { Problem } from "../model/problem.ts";
import { Findings } from "./findings.ts";
import { parseYaml } from "./parse-yaml.ts";
import { readSources } from "./sources.ts";
import { zoneName } from "./build-zones.ts";
import { entriesAt, formatPath, locate, type Path, type Tree, treeAt, writtenPath } from "./tree.ts";
import type { Environment } from "./variables.ts";

/**
 * Where values stand in a configuration that has been read without a problem: edges in its file of `edges.d` too, a zone
 * by its name, however its key is written.
 */
export async function whereWritten(
  mainFile: string,
  environment: Environment,
  paths: readonly Path[],
): Promise<readonly Omit<Problem, "message">[]> {
  const findings = new Findings();
  const sources = await readSources(mainFile, findings);
  const [main, ...more] = sources.map((source) => parseYaml(source, environment, findings));
  const roots = [main, ...more].filter((root) => root !== undefined);
  return paths.map((path) => {
    const root = roots.find((each) => treeAt(each, path.slice(0, 2)) !== undefined) ?? roots[0];
    if (root === undefined) return { file: mainFile, line: 1, column: 1, path: formatPath(path) };
    const written = writtenPath(root, withZoneKey(root, path));
    return { ...locate(root, written).mark, path: formatPath(written) };
  });
}

function withZoneKey(root: Tree, path: Path): Path {
  const [first, name, ...rest] = path;
  if (first !== "zones" || name === undefined) return path;
  const key = entriesAt(root, ["zones"]).find(([written]) => zoneName(written) === name)?.[0];
  return key === undefined ? path : [first, key, ...rest];
}
