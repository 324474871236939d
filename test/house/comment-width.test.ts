/** The formatter breaks code and leaves comments as they are. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const WIDTH_MAX = 120;

const filesIn = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.m?ts$|\.mjs$/.test(name) && !/(?:^|\/)node_modules\//.test(name))
    .map((name) => join(folder, name));

/** What could be broken: a word too long for a line cannot. */
const isTooWide = (line: string): boolean =>
  line.length > WIDTH_MAX && /^\s*(?:\/\/|\/?\*)/.test(line) && !/[{`]/.test(line);

it.each(["src", "test", "bench"])(`comments in %s are at most ${WIDTH_MAX} wide`, (folder) => {
  const files = filesIn(folder);
  expect(files).not.toHaveLength(0);
  const wide = files.flatMap((file) =>
    readFileSync(join(root, file), "utf8")
      .split("\n")
      .flatMap((line, at) => (isTooWide(line) ? [`${file}:${at + 1}`] : [])),
  );
  expect(wide).toEqual([]);
});
