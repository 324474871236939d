import type { Problem } from "../model/problem.ts";
import { type Mark, type Path, type Tree, formatPath, locate, locateKey, writtenPath } from "./tree.ts";
import { fillIn } from "./words.ts";

/**
 * Collects the problems of a configuration. Reading goes in stages (YAML, schema, meaning); a place that one
 * stage found fault with, in itself or in a part of it, is not blamed again by a later one, which would only
 * tell a consequence.
 */
export class Findings {
  readonly #problems: Problem[] = [];
  readonly #said = new Set<string>();
  readonly #before = new Set<string>();
  readonly #now = new Set<string>();
  /** Paths of everything around a problem of an earlier stage. */
  readonly #around = new Set<string>();
  readonly #aroundNow = new Set<string>();

  get count(): number {
    return this.#problems.length;
  }

  nextStage(): void {
    for (const place of this.#now) this.#before.add(place);
    for (const path of this.#aroundNow) this.#around.add(path);
    this.#now.clear();
    this.#aroundNow.clear();
  }

  /** At a place of which no node is at hand. */
  add(mark: Mark, path: Path, message: string, tree?: Tree): void {
    const place = `${mark.file}\n${mark.line}\n${mark.column}`;
    if (this.#before.has(place)) return;
    this.#now.add(place);
    for (let i = 1; i < path.length; i++) this.#aroundNow.add(formatPath(path.slice(0, i)));
    const text = fillIn(message, tree);
    const sentence = `${place}\n${text}`;
    if (this.#said.has(sentence)) return;
    this.#said.add(sentence);
    this.#problems.push({ ...mark, path: formatPath(path), message: text });
  }

  /** At the value that a path leads to, or where it is missed. */
  at(root: Tree, path: Path, message: string): void {
    const written = writtenPath(root, path);
    if (this.#around.has(formatPath(written))) return;
    const { mark, tree } = locate(root, written);
    this.add(mark, written, message, tree);
  }

  /** At the key that ends the path: whatever is wrong with its value, that is another thing. */
  atKey(root: Tree, path: Path, message: string): void {
    const written = writtenPath(root, path);
    this.add(locateKey(root, written).mark, written, message);
  }

  /** By file, line and column; the main file first. */
  sorted(mainFile: string): Problem[] {
    const order = (p: Problem): string => (p.file === mainFile ? "" : p.file);
    return [...this.#problems].sort(
      (a, b) => compare(order(a), order(b)) || a.line - b.line || a.column - b.column,
    );
  }
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
