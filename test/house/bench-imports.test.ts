import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
/** Of what is built, where neither the compiler nor the linter looks. */
const IMPORT = /^import \{([^}]*)\} from "([^"]*\/dist\/[^"]*)\.js";/gm;

/** FILE NAME, for each name that a bench imports of a source. */
function importsOf(bench: string): string[] {
  return [...readFileSync(bench, "utf8").matchAll(IMPORT)].flatMap(([, names = "", from = ""]) => {
    const source = relative(join(root, "dist"), resolve(dirname(bench), from));
    return names.split(",").flatMap((name) => (name.trim() === "" ? [] : [`${source}.ts ${name.trim()}`]));
  });
}

function isExported(wanted: string): boolean {
  const [source = "", name = ""] = wanted.split(" ");
  const text = readFileSync(join(root, "src", source), "utf8");
  return new RegExp(`^export (?:async )?(?:function\\*? |const |class )${name}\\b`, "m").test(text);
}

it("benches import of the build what the sources export", () => {
  const benches = readdirSync(join(root, "bench"), { recursive: true, encoding: "utf8" });
  const imports = benches
    .filter((file) => file.endsWith(".mjs"))
    .flatMap((file) => importsOf(join(root, "bench", file)));
  expect(imports.length).toBeGreaterThan(20);
  expect(imports.filter((wanted) => !isExported(wanted))).toEqual([]);
});
