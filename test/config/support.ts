import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { formatProblem } from "../../src/base/problem.ts";
import { type LoadOptions, loadConfig } from "../../src/config/load.ts";
import type { Inventory } from "../../src/model/inventory.ts";

export const options: LoadOptions = { environment: {}, nowMs: Date.UTC(2026, 0, 1), generation: 1 };

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** A fresh folder with these files in it, by relative path; it goes after the tests of the file. */
export async function folderWith(files: { readonly [path: string]: string }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "edgeward-config-"));
  folders.push(folder);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

/** What a main file, and more beside it, comes to. */
export async function loadText(
  text: string,
  environment: LoadOptions["environment"] = {},
  more: { readonly [path: string]: string } = {},
) {
  const folder = await folderWith({ "edgeward.yaml": text, ...more });
  return loadConfig(join(folder, "edgeward.yaml"), { ...options, environment });
}

/** The inventory of a text that must be right. */
export async function inventoryOf(...input: Parameters<typeof loadText>): Promise<Inventory> {
  const result = await loadText(...input);
  if (result.kind === "problems") throw new Error(result.problems.map(formatProblem).join("\n"));
  return result.inventory;
}
