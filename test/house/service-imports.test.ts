import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { expect, it } from "vitest";

const src = resolve(import.meta.dirname, "../../src");
/** What is loaded with a file: types are not, nor what is asked for when it is needed. */
const IMPORT = /^(?:import|export)\s(?!type\b)(?:[\w\s{},*]*\sfrom\s)?"([^"]+)";/gm;

/** All that is loaded with a file, its packages among it. */
function loadedWith(file: string, known = new Set<string>()): ReadonlySet<string> {
  if (known.has(file)) return known;
  known.add(file);
  for (const [, wanted = ""] of readFileSync(file, "utf8").matchAll(IMPORT))
    if (wanted.startsWith(".")) loadedWith(join(dirname(file), wanted), known);
    else known.add(wanted);
  return known;
}

it("a service does not keep the reading of configurations in memory: threads have it, and end", () => {
  expect(loadedWith(join(src, "config/load.ts"))).toContain("zod");
  for (const file of ["start.ts", "commands/serve.ts", "threads/dns-thread.ts", "threads/http-thread.ts"]) {
    const loaded = loadedWith(join(src, file));
    expect(loaded.size).toBeGreaterThan(20);
    expect([...loaded].filter((name) => name === "zod" || name === "yaml")).toEqual([]);
  }
});
