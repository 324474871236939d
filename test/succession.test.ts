/** Both ends of a succession, in processes of their own. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, it } from "vitest";

const SUCCESSION = resolve(import.meta.dirname, "../dist/succession.js");

const folder = mkdtempSync(join(tmpdir(), "edgeward-succession-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs one program as the process that is to be replaced and, started by it, as the one that replaces it. */
function run({ asSuccessor }: { readonly asSuccessor: string }): string {
  const file = join(folder, "program.mjs");
  writeFileSync(
    file,
    `import { existsSync, readFileSync } from "node:fs";
    import { meetPredecessor, startSuccessor } from ${JSON.stringify(SUCCESSION)};
    const file = "/proc/self/oom_score_adj";
    const score = () => (existsSync(file) ? readFileSync(file, "latin1").trim() : "none");
    const predecessor = await meetPredecessor();
    if (predecessor === undefined) {
      console.log("own", score());
      const verdict = await startSuccessor({ sockets: [], memory: () => ({}), signal: new AbortController().signal });
      console.log(verdict.kind, verdict.reason ?? score());
      verdict.successor?.goOn({});
    } else {
      ${asSuccessor}
    }`,
  );
  return spawnSync(process.execPath, [file], { encoding: "utf8" }).stdout;
}

it.skipIf(process.platform !== "linux")(
  "where memory does not suffice for both, the one that does not serve is to end: the next, and then the one before",
  () => {
    const said = run({
      asSuccessor: `console.log("next", score());
        await predecessor.relieve();
        console.log("then", score());`,
    });
    const own = /^own (-?\d+)$/m.exec(said)?.[1];
    expect(own, "or it proves nothing").not.toBe("1000");
    expect(said).toMatch(/^next 1000$/m);
    expect(said).toMatch(new RegExp(`^then ${own}$`, "m"));
    expect(said).toMatch(/^open 1000$/m);
  },
);

it("tells of a next process that is killed that memory may not suffice for two", () => {
  const said = run({ asSuccessor: `process.kill(process.pid, "SIGKILL");` });
  expect(said).toMatch(/^failed the new process was killed .*memory/m);
});
