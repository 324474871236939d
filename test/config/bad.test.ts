import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { formatProblem } from "../../src/base/problem.ts";
import { loadConfig } from "../../src/config/load.ts";
import { options } from "./support.ts";

/**
 * Every file of bad/, and every folder with a configuration in it, against the problems that expected.yaml
 * has under its name, each as `LINE:COLUMN: PATH: message` (in folders with the file before it).
 */
const folder = fileURLToPath(new URL("./bad/", import.meta.url));
const expected = parse(readFileSync(new URL("./bad-expected.yaml", import.meta.url), "utf8")) as {
  [name: string]: string[];
};

const secrets = {
  SECRET: "s3cr3t-value",
  HOST_BITS: "10.11.12.13/8",
  LONGITUDE: "999",
  SHORT_HASH: "abcdef0123",
};
const literals = ["hunter2", "my-literal-token", "12345678"];

const cases = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() || entry.name.endsWith(".yaml"))
  .map((entry) => ({
    name: basename(entry.name, ".yaml"),
    file: join(folder, entry.isDirectory() ? join(entry.name, "edgeward.yaml") : entry.name),
  }));

describe("a wrong configuration", () => {
  it.each(cases)("$name: all its problems, in order", async ({ name, file }) => {
    const result = await loadConfig(file, { ...options, environment: secrets });
    const told = result.kind === "ok" ? [] : result.problems.map(formatProblem).map(relative);
    expect(told).toEqual(expected[name]);
    for (const secret of [...Object.values(secrets), ...literals]) {
      expect(told.join("\n")).not.toContain(secret);
    }
  });

  it("has a file for every expectation", () => {
    expect(cases.map(({ name }) => name).sort()).toEqual(Object.keys(expected).sort());
  });
});

function relative(problem: string): string {
  return problem.replaceAll(folder, "").replace(/^[\w-]+\.yaml:/, "");
}
