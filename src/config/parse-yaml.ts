import {
  CST,
  type Document,
  Lexer,
  LineCounter,
  type Pair,
  type YAMLError,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
} from "yaml";
import type { Findings } from "./findings.ts";
import { read, refuse } from "./reading.ts";
import type { Entry, Mark, Path, ScalarTree, Tree } from "./tree.ts";
import { type Environment, substitute } from "./variables.ts";
import { firstUnseen, visibly } from "./visibly.ts";

/** More than any configuration needs; within it, parsing takes linear time and little stack. */
const limits = { aliases: 100, aliasedNodes: 50_000, flowDepth: 32, indentation: 256, syntaxProblems: 20 };

/** One file's text. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

/**
 * Reads a YAML 1.2 document into a tree with variables put in; every fault of its form goes to `findings`.
 * @returns nothing when the form is so broken that its contents cannot be trusted
 */
export function parseYaml(source: Source, environment: Environment, findings: Findings): Tree | undefined {
  const unreadable = unprintableProblem(source) ?? lineEndProblem(source) ?? depthProblem(source);
  if (unreadable !== undefined) {
    findings.add(unreadable.mark, [], unreadable.message);
    return undefined;
  }
  const lines = new LineCounter();
  const options = { version: "1.2", prettyErrors: false, uniqueKeys: false, lineCounter: lines } as const;
  const document = parseDocument(source.text, options);
  const grower = new Grower(source.file, lines, environment, findings);
  const errors = [...document.errors, ...document.warnings, ...foreignVersion(document)];
  if (errors.length === 0) return grower.grow(document.contents, []);
  const unseen = unseenIn(source);
  if (unseen !== undefined) findings.add(unseen.mark, [], unseen.message);
  const openQuote = openQuoteIn(source);
  if (openQuote !== undefined)
    findings.add(openQuote, [], "a quote that is not closed; close it, or leave it out");
  for (const error of tellingOf(errors).slice(0, limits.syntaxProblems)) {
    // Where a text has no end, whatever stands behind it says nothing.
    if (openQuote === undefined || isBefore(error, openQuote, lines))
      findings.add(grower.mark(error.pos[0]), [], syntaxMessage(error, source.text));
  }
  return undefined;
}

interface SyntaxError {
  readonly code: YAMLError["code"] | "OTHER_VERSION";
  readonly pos: [number, number];
}

/** Without the columns behind a tab in the indentation: the parser has lost count of them. */
function tellingOf(errors: readonly SyntaxError[]): readonly SyntaxError[] {
  const tab = errors.find(({ code }) => code === "TAB_AS_INDENT");
  return errors.filter(({ code, pos }) => tab === undefined || code !== "BAD_INDENT" || pos[0] < tab.pos[0]);
}

interface FormProblem {
  readonly mark: Mark;
  readonly message: string;
}

/** What YAML allows nowhere (1.2.2, 5.1); the lexer takes some of it for marks of its own. */
function unprintableProblem({ file, text }: Source): FormProblem | undefined {
  const at = text.search(UNPRINTABLE);
  if (at < 0) return undefined;
  const what = visibly(String.fromCodePoint(text.codePointAt(at) ?? 0)).slice(1, -1);
  return {
    mark: markAt(file, text, at),
    message: `the control character ${what}, which YAML does not allow; take it out, or save the file as UTF-8`,
  };
}

const UNPRINTABLE = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** A space that is none, or a character without width, among keys and plain texts: the parser takes it for a letter. */
function unseenIn({ file, text }: Source): FormProblem | undefined {
  let offset = 0;
  for (const lexeme of new Lexer().lex(text)) {
    const at = CST.tokenType(lexeme) === null ? firstUnseen(lexeme) : -1;
    if (at >= 0) {
      const what = visibly(lexeme.charAt(at));
      const message = `${what}, which looks like a space or like nothing, and is neither; write a space, or take it out`;
      return { mark: markAt(file, text, offset + at), message };
    }
    offset += printedLength(lexeme);
  }
  return undefined;
}

function markAt(file: string, text: string, offset: number): Mark {
  const before = text.slice(0, offset).split("\n");
  return { file, line: before.length, column: (before.at(-1) ?? "").length + 1 };
}

/** YAML ends a line at a CR alone (1.2.2, 5.4), the parser does not: what follows a comment would belong to it. */
function lineEndProblem({ file, text }: Source): FormProblem | undefined {
  const at = text.search(/\r(?!\n)/);
  if (at < 0) return undefined;
  const mark = markAt(file, text, at);
  return { mark, message: "a carriage return (CR) alone; save the file with line ends LF, or CR LF" };
}

/** Parsing recurses: a document of nothing but brackets would end the process before any error is raised. */
function depthProblem(source: Source): FormProblem | undefined {
  let flow = 0;
  for (const { lexeme, mark } of lexemesIn(source)) {
    const { column } = mark;
    const type = CST.tokenType(lexeme);
    if (type === "flow-seq-start" || type === "flow-map-start") flow++;
    if (type === "flow-seq-end" || type === "flow-map-end") flow--;
    const nests = type === "seq-item-ind" || type === "explicit-key-ind" || type === "map-value-ind";
    if (flow > limits.flowDepth || (flow <= 0 && nests && column > limits.indentation)) {
      const message = `nested too deeply; at most ${limits.flowDepth} brackets, or ${limits.indentation} columns`;
      return { mark, message };
    }
  }
  return undefined;
}

/** Where a quote begins that has no end: the parser tells of the end of the file. */
function openQuoteIn(source: Source): Mark | undefined {
  for (const { lexeme, mark } of lexemesIn(source)) {
    const type = CST.tokenType(lexeme);
    const isQuoted = type === "double-quoted-scalar" || type === "single-quoted-scalar";
    if (isQuoted && (lexeme.length < 2 || lexeme.at(-1) !== lexeme[0])) return mark;
  }
  return undefined;
}

function isBefore({ pos: [offset] }: { pos: [number, number] }, mark: Mark, lines: LineCounter): boolean {
  const { line, col } = lines.linePos(offset);
  return line < mark.line || (line === mark.line && col < mark.column);
}

function* lexemesIn({ file, text }: Source): Generator<{ lexeme: string; mark: Mark }> {
  let [line, column] = [1, 1];
  for (const lexeme of new Lexer().lex(text)) {
    yield { lexeme, mark: { file, line, column } };
    const breaks = lexeme.split("\n");
    line += breaks.length - 1;
    column = breaks.length > 1 ? (breaks.at(-1) ?? "").length + 1 : column + printedLength(lexeme);
  }
}

/** The lexer marks documents and scalars by control characters that are not in the text. */
function printedLength(lexeme: string): number {
  return lexeme === CST.DOCUMENT || lexeme === CST.SCALAR || lexeme === CST.FLOW_END ? 0 : lexeme.length;
}

function foreignVersion(document: Document): { code: "OTHER_VERSION"; pos: [number, number] }[] {
  const { explicit, version } = document.directives?.yaml ?? { version: "1.2" };
  return explicit === true && version !== "1.2" ? [{ code: "OTHER_VERSION", pos: [0, 0] }] : [];
}

/** Our own words for each fault: the parser's quote the text, which may hold a secret. */
function syntaxMessage(error: SyntaxError, text: string): string {
  switch (error.code) {
    case "OTHER_VERSION":
      return "%YAML asks for another version; edgeward reads YAML 1.2: leave the directive out";
    case "TAG_RESOLVE_FAILED":
      return "a YAML tag (!name) that is not supported; leave it out";
    case "TAB_AS_INDENT":
      return "a tab in the indentation; indent with spaces";
    case "BAD_INDENT":
      return "wrong indentation, or a bracket above that is not closed; keys of one map start in one column, and what belongs to a key stands further right";
    case "MISSING_CHAR":
      return "a character is missing here: a colon after a key, a comma between entries, or a closing quote or bracket";
    case "MULTIPLE_DOCS":
      return "a second document; a configuration file holds one: take the --- out";
    case "BLOCK_AS_IMPLICIT_KEY":
    case "MULTILINE_IMPLICIT_KEY":
    case "KEY_OVER_1024_CHARS":
      return "not a key; a key stands on one line, before a colon and a space (quote a text that holds one)";
    case "BLOCK_IN_FLOW":
      return "a second colon, or indented keys or dashes, inside [ ] or { }; separate the entries with commas there, and quote a text that holds a colon and a space";
    case "BAD_DQ_ESCAPE":
      return "an escape that \"double quotes\" do not know; write \\\\ for a backslash, or use 'single quotes'";
    case "BAD_ALIAS":
      return "not an alias; quote a text that starts with *";
    case "BAD_SCALAR_START":
      return "a text cannot start with this character; quote it";
    case "UNEXPECTED_TOKEN":
      return isBehindBracket(error, text) ? UNQUOTED_ADDRESS : UNEXPECTED;
    case "ALIAS_PROPS":
    case "BAD_DIRECTIVE":
    case "BAD_PROP_ORDER":
    case "BAD_COLLECTION_TYPE":
    case "DUPLICATE_KEY":
    case "IMPOSSIBLE":
    case "MULTIPLE_ANCHORS":
    case "MULTIPLE_TAGS":
    case "NON_STRING_KEY":
    case "RESOURCE_EXHAUSTION":
      return `not valid YAML 1.2 (${error.code.toLowerCase().replaceAll("_", " ")})`;
  }
}

const UNEXPECTED = "unexpected here; look for a missing quote, comma or bracket before it";
const UNQUOTED_ADDRESS =
  'a colon behind a list; put quotes around an address that starts with [, as "[::1]:8080"';

/** As the port of an address is, where nothing says that it is a text. */
function isBehindBracket({ pos: [at] }: SyntaxError, text: string): boolean {
  return text[at] === ":" && text[at - 1] === "]";
}

/** Turns the parser's nodes into a tree: resolves aliases, puts variables in, refuses what is not plain data. */
class Grower {
  readonly #file: string;
  readonly #lines: LineCounter;
  readonly #environment: Environment;
  readonly #findings: Findings;
  readonly #anchors = new Map<string, { tree: Tree; nodes: number } | "growing">();
  #nodes = 0;
  #aliases = 0;
  #aliasedNodes = 0;
  /** The limit of aliases was reported once. */
  #isFull = false;

  constructor(file: string, lines: LineCounter, environment: Environment, findings: Findings) {
    this.#file = file;
    this.#lines = lines;
    this.#environment = environment;
    this.#findings = findings;
  }

  mark(offset: number): Mark {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.#file, line: Math.max(1, line), column: Math.max(1, col) };
  }

  grow(node: unknown, path: Path, absentAt: Mark = this.mark(0)): Tree {
    if (isAlias(node)) return this.#alias(node.source, this.mark(node.range?.[0] ?? 0), path);
    if (!isScalar(node) && !isCollection(node)) return { kind: "scalar", mark: absentAt, value: null };
    const before = this.#nodes++;
    const anchor = node.anchor;
    if (anchor !== undefined) this.#anchors.set(anchor, "growing");
    const tree = this.#growPlain(node, this.mark(node.range?.[0] ?? 0), path);
    if (anchor !== undefined) this.#anchors.set(anchor, { tree, nodes: this.#nodes - before });
    return tree;
  }

  #growPlain(node: unknown, mark: Mark, path: Path): Tree {
    if (isMap(node)) return { kind: "map", mark, entries: this.#entries(node.items, path) };
    if (isSeq(node)) {
      const items = node.items.map((item, i) => this.grow(item, [...path, i], mark));
      return { kind: "list", mark, items };
    }
    return this.#scalar(isScalar(node) ? valueOf(node.value) : null, mark, path);
  }

  #entries(pairs: readonly Pair[], path: Path): Map<string, Entry> {
    const entries = new Map<string, Entry>();
    for (const pair of pairs) {
      const name = keyName(pair.key);
      const offset = isScalar(pair.key) || isCollection(pair.key) ? (pair.key.range?.[0] ?? 0) : 0;
      const key = this.mark(offset);
      const problem = isSeq(pair.key)
        ? UNQUOTED_ADDRESS
        : keyProblem(name, name === undefined ? undefined : entries.get(name));
      if (problem !== undefined)
        this.#findings.add(key, name === undefined ? path : [...path, name], problem);
      if (name === undefined || problem !== undefined) continue;
      entries.set(name, { key, value: this.grow(pair.value, [...path, name], key) });
    }
    return entries;
  }

  #scalar(value: ScalarTree["value"], mark: Mark, path: Path): ScalarTree {
    if (typeof value !== "string" || !value.includes("${")) return { kind: "scalar", mark, value };
    const substituted = substitute(value, this.#environment);
    if (substituted.kind === "refused") {
      const tree: ScalarTree = { kind: "scalar", mark, value: "", template: value };
      this.#findings.add(mark, path, substituted.message, tree);
      return tree;
    }
    return { kind: "scalar", mark, value: substituted.value, template: value };
  }

  #alias(name: string, mark: Mark, path: Path): Tree {
    const anchored = this.#anchors.get(name);
    const use = this.#useAlias(anchored);
    if (use.kind === "read") return use.value;
    if (!this.#isFull) this.#findings.add(mark, path, use.message);
    this.#isFull = this.#aliases > limits.aliases || this.#aliasedNodes > limits.aliasedNodes;
    return { kind: "scalar", mark, value: null };
  }

  #useAlias(anchored: { tree: Tree; nodes: number } | "growing" | undefined) {
    if (anchored === undefined)
      return refuse(
        "an alias without its anchor; quote a text that starts with *, or write &name before the first use",
      );
    if (anchored === "growing") return refuse("an alias inside its own anchor; write the value out");
    this.#aliases++;
    this.#nodes += anchored.nodes;
    this.#aliasedNodes += anchored.nodes;
    if (this.#aliases > limits.aliases || this.#aliasedNodes > limits.aliasedNodes) {
      const most = `at most ${limits.aliases} aliases that stand for ${limits.aliasedNodes} values`;
      return refuse(`too many YAML aliases (an alias bomb?); ${most} are allowed: use defaults instead`);
    }
    return read(anchored.tree);
  }
}

/** YAML 1.2 knows no other scalars. */
function valueOf(value: unknown): ScalarTree["value"] {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : null;
}

function keyName(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined;
  return typeof key.value === "string" ? key.value : (key.source ?? String(key.value));
}

const poisonous = new Set(["__proto__", "constructor", "prototype"]);

function keyProblem(name: string | undefined, first: Entry | undefined): string | undefined {
  if (name === undefined) return "a key that is not plain text; write a word before the colon";
  if (poisonous.has(name)) return "this name is not allowed as a key; choose another";
  if (name === "<<") return "merging with << is not supported; use an alias for the whole value, or defaults";
  if (first === undefined) return undefined;
  return `duplicate key; the first is on line ${first.key.line}: keep one of them`;
}
