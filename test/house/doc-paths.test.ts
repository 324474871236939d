/** What the documentation points to is there: files, headings, and the tests and benches that make its figures. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

const pages = [
  "README.md",
  "CHANGELOG.md",
  "geoip/README.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];

const textOf = (page: string): string => readFileSync(join(root, page), "utf8");

/** As GitHub names headings in an address. */
function anchorsOf(text: string): Set<string> {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\- _]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

it.each(pages)("%s links to what is there", (page) => {
  const text = textOf(page);
  const lost = [...text.matchAll(/\]\(([^)\s]+)\)/g)].filter(([, link = ""]) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? page : join(dirname(page), path);
    if (!existsSync(join(root, target))) return true;
    return anchor !== undefined && !anchorsOf(textOf(target)).has(anchor);
  });
  expect(lost.map(([, link]) => link)).toEqual([]);
});

it.each(pages)("%s names sources, tests and benches that are there", (page) => {
  const named =
    textOf(page).match(/\b(?:src|test|bench|config)\/[\w./-]*\.(?:ts|mjs|json|yaml|service)\b/g) ?? [];
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
