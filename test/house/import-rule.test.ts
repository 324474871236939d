import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const oxlint = join(root, "node_modules/.bin/oxlint");

/** In a file each: what the rule is to refuse, with what it says then; and what it lets pass. */
const REFUSED = [
  ["a room importing another", "dns/room", '"../selection/select.ts"', "A room imports"],
  ["a room importing a hall", "http/hall", '"../engine/redirector.ts"', "A room imports"],
  ["a hall importing one above it", "engine/above", '"../threads/dns-thread.ts"', "engine/ imports rooms"],
  ["a room importing another's package", "dns/package", '"fastify"', "does not own this package"],
  ["base importing a room", "base/room", '"../geo/geo.ts"', "base/ imports"],
  ["model importing anything", "model/base", '"../base/address.ts"', "model/ imports nothing"],
] as const;
const PASSED = [
  ["a hall import a room", "engine/room", '"../geo/geo.ts"'],
  ["a hall import one below it", "threads/below", '"../engine/redirector.ts"'],
  ["a room import model", "dns/model", '"../model/zone.ts"'],
  ["a room import base", "dns/base", '"../base/address.ts"'],
  ["a room import itself", "dns/itself", '"./decode.ts"'],
  ["a room import a package that it owns", "ops/own", '"fastify"'],
] as const;
const CIRCLE = [
  ["dns/a", 'import type { B } from "./b.ts"; export type A = B[];'],
  ["dns/b", 'import type { A } from "./a.ts"; export type B = A | 1;'],
  ["dns/straight", 'import type { Straight } from "./end.ts"; export type Line = Straight[];'],
  ["dns/end", "export type Straight = 1;"],
] as const;
/** All but the lowest, which has a rule of its own, and the highest, which may import what it wants. */
const ROOMS = readdirSync(join(root, "src"), { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() && !["model", "commands"].includes(entry.name) ? [entry.name] : [],
);

/** A house of these files alone, checked once by the rules of this one. @returns what is told, by file */
function lint(files: readonly (readonly [file: string, text: string])[]): Map<string, string> {
  const house = mkdtempSync(join(tmpdir(), "edgeward-house-"));
  copyFileSync(join(root, ".oxlintrc.json"), join(house, ".oxlintrc.json"));
  for (const [file, text] of files) {
    mkdirSync(join(house, "src", dirname(file)), { recursive: true });
    writeFileSync(join(house, `src/${file}.ts`), `${text}\n`);
  }
  const { stdout } = spawnSync(oxlint, ["--format=json", "src"], { cwd: house, encoding: "utf8" });
  rmSync(house, { recursive: true });
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: readonly Diagnostic[] };
  const of = (name: string): readonly Diagnostic[] =>
    diagnostics.filter(({ filename }) => filename === `src/${name}.ts`);
  return new Map(
    files.map(([name]) => [
      name,
      of(name)
        .map(({ code, message, help }) => `${code}: ${message} ${help}`)
        .join("\n"),
    ]),
  );
}

interface Diagnostic {
  readonly filename: string;
  readonly code: string;
  readonly message: string;
  readonly help: string;
}

let told: ReadonlyMap<string, string>;
beforeAll(() => {
  const all = (from: string): string => `export * from ${from};`;
  told = lint([
    ...[...REFUSED, ...PASSED].map(([, file, from]) => [file, all(from)] as const),
    ...CIRCLE,
    ...ROOMS.map((room) => [`${room}/app`, all('"../app.ts"')] as const),
  ]);
});

describe("the import rule", () => {
  it.each(REFUSED)("refuses %s", (_name, file, _from, message) => {
    expect(told.get(file)).toContain(message);
  });

  it.each(PASSED)("lets %s", (_name, file) => {
    expect(told.get(file)).not.toContain("no-restricted-imports");
  });

  it("refuses files that import each other, be it for types alone", () => {
    expect(told.get("dns/a")).toContain("Dependency cycle");
    expect(told.get("dns/straight")).not.toContain("Dependency cycle");
  });

  it.each(ROOMS)("covers %s", (room) => {
    expect(told.get(`${room}/app`)).toContain("no-restricted-imports");
  });

  it("holds in the house as it stands", { timeout: 120_000 }, () => {
    const { status, stdout } = spawnSync(oxlint, ["src"], { cwd: root, encoding: "utf8" });
    expect(status, stdout).toBe(0);
  });
});
