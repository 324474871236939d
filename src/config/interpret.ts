import type { Inventory } from "../model/inventory.ts";
import { assemble } from "./assemble.ts";
import { type Circumstances, type Given, build } from "./build.ts";
import { addUnknownEmptyKeys } from "./empty-keys.ts";
import type { Findings } from "./findings.ts";
import { addIssues } from "./issues.ts";
import { type Source, parseYaml } from "./parse-yaml.ts";
import { type Fitting, parseWhatFits } from "./parse-what-fits.ts";
import { type FileInput, fileSchema } from "./schema.ts";
import { type EdgeInput, edgeSchema } from "./schema-edge.ts";
import { type MapTree, type Path, entriesAt, isEmpty, plain } from "./tree.ts";

/** What fits of a part of the configuration. */
interface Fitted<T> extends Pick<Fitting<T>, "givenPath"> {
  readonly data: T;
}

/**
 * Texts to inventory, in four stages: YAML to trees, files to one tree, trees to values by the schema, values
 * to the words of the model. Everything that is wrong goes to `findings`; an inventory comes back only if
 * nothing is. A part that fails its schema, as one item of a list, is left out and the rest is looked at all the same.
 * @param sources the main file first
 */
export function interpret(
  sources: readonly Source[],
  circumstances: Circumstances,
  findings: Findings,
): Inventory | undefined {
  const [main, ...edgeFiles] = sources.map((source) =>
    parseYaml(source, circumstances.environment, findings),
  );
  findings.nextStage();
  if (main === undefined) return undefined;
  if (main.kind !== "map") {
    const what = isEmpty(main) ? "is empty; start from" : "not a map; write keys and values, as in";
    findings.add(main.mark, [], `${what} the reference config/edgeward.yaml`);
    return undefined;
  }
  const assembled = assemble(
    main,
    edgeFiles.filter((tree) => tree !== undefined),
    findings,
  );
  const file = readFileInput(assembled.written, findings);
  findings.nextStage();
  const edges = readEdges(assembled.merged, findings);
  findings.nextStage();
  const given: Given = { root: assembled.merged, pathOf: (path) => pathInFiles(path, file, edges) };
  const inventory = build(file.data, valuesOf(edges), given, circumstances, findings);
  return findings.count === 0 ? inventory : undefined;
}

/** What fails the schema is reported and left out. */
function readFileInput(root: MapTree, findings: Findings): Fitted<FileInput> {
  const { data, issues, givenPath } = parseWhatFits(fileSchema, plain(root));
  addIssues(issues, root, [], findings);
  addUnknownEmptyKeys(fileSchema, root, [], findings);
  return { data: data ?? fileSchema.parse({}), givenPath };
}

const INDENTED = "a key of the file itself, and not an edge; let it begin in the first column, as edges does";

/** Edges with their defaults, each by itself. */
function readEdges(root: MapTree, findings: Findings): Map<string, Fitted<EdgeInput>> {
  const edges = new Map<string, Fitted<EdgeInput>>();
  for (const [id, { value }] of entriesAt(root, ["edges"])) {
    if (isEmpty(value) && Object.hasOwn(fileSchema.shape, id)) {
      findings.atKey(root, ["edges", id], INDENTED);
      continue;
    }
    const { data, issues, givenPath } = parseWhatFits(edgeSchema, isEmpty(value) ? {} : plain(value));
    addIssues(issues, root, ["edges", id], findings);
    addUnknownEmptyKeys(edgeSchema, root, ["edges", id], findings);
    if (data !== undefined) edges.set(id, { data, givenPath });
  }
  return edges;
}

function valuesOf(edges: ReadonlyMap<string, Fitted<EdgeInput>>): Map<string, EdgeInput> {
  return new Map([...edges].map(([id, { data }]) => [id, data]));
}

/** Each edge was read by itself, and so has lists of its own. */
function pathInFiles(
  path: Path,
  file: Fitted<FileInput>,
  edges: ReadonlyMap<string, Fitted<EdgeInput>>,
): Path {
  const [section, id, ...rest] = path;
  const edge = section === "edges" ? edges.get(String(id)) : undefined;
  return edge === undefined ? file.givenPath(path) : [...path.slice(0, 2), ...edge.givenPath(rest)];
}
