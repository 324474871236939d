import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const oxlint = join(root, "node_modules/.bin/oxlint");

/** A house of one file, checked by the rules of this one. */
let house: string;
beforeAll(() => {
  house = mkdtempSync(join(tmpdir(), "edgeward-house-"));
  copyFileSync(join(root, ".oxlintrc.json"), join(house, ".oxlintrc.json"));
});
afterAll(() => rmSync(house, { recursive: true }));

function lint(file: string, line: string): string {
  return lintAll([[file, line]]);
}

function lintAll(files: readonly (readonly [file: string, line: string])[]): string {
  for (const [file, line] of files) {
    mkdirSync(join(house, dirname(file)), { recursive: true });
    writeFileSync(join(house, file), `${line}\n`);
  }
  const names = files.map(([file]) => file);
  const { stdout } = spawnSync(oxlint, names, { cwd: house, encoding: "utf8" });
  for (const file of names) rmSync(join(house, file));
  return stripVTControlCharacters(stdout);
}

describe("the import rule", () => {
  it.each([
    ["a room importing another", "src/dns/a.ts", 'export * from "../selection/select.ts";', "A room imports"],
    ["a room importing a root file", "src/http/a.ts", 'export * from "../redirector.ts";', "A room imports"],
    [
      "a room importing another's package",
      "src/dns/a.ts",
      'export * from "fastify";',
      "does not own this package",
    ],
    ["base importing a room", "src/base/a.ts", 'export * from "../geo/geo.ts";', "base/ imports"],
    [
      "model importing anything",
      "src/model/a.ts",
      'export * from "../base/address.ts";',
      "model/ imports nothing",
    ],
  ])("refuses %s", (_name, file, line, message) => {
    expect(lint(file, line)).toContain(message);
  });

  it.each([
    ["model", "src/dns/a.ts", 'export * from "../model/zone.ts";'],
    ["base", "src/dns/a.ts", 'export * from "../base/address.ts";'],
    ["itself", "src/dns/a.ts", 'export * from "./decode.ts";'],
    ["a package that it owns", "src/ops/a.ts", 'export * from "fastify";'],
  ])("lets a room import %s", (_name, file, line) => {
    expect(lint(file, line)).not.toContain("no-restricted-imports");
  });

  it("refuses files that import each other, be it for types alone", () => {
    const circle = [
      ["src/dns/a.ts", 'import type { B } from "./b.ts"; export type A = B[];'],
      ["src/dns/b.ts", 'import type { A } from "./a.ts"; export type B = A | 1;'],
    ] as const;
    expect(lintAll(circle)).toContain("Dependency cycle");
    expect(lintAll([["src/dns/b.ts", "export type B = 1;"], circle[0]])).not.toContain("Dependency cycle");
  });

  it("covers every room there is", () => {
    const rooms = readdirSync(join(root, "src"), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    const files = rooms.filter(({ name }) => name !== "model").map(({ name }) => `src/${name}/a.ts`);
    const told = lintAll(files.map((file) => [file, 'export * from "../app.ts";']));
    const refused = [...told.matchAll(/no-restricted-imports.*\n.*?\[(.*?):/g)].map(([, file]) => file);
    expect(new Set(refused)).toEqual(new Set(files));
  });

  it("holds in the house as it stands", () => {
    expect(() => execFileSync(oxlint, ["src"], { cwd: root, encoding: "utf8" })).not.toThrow();
  });
});
