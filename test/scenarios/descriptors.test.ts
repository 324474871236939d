import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, expect, it } from "vitest";
import { type Config, referenceConfig, textOf, withPackagedDatabases } from "./reference.ts";
import { ROOT } from "./program.ts";
import { takeFolder, takeNetwork } from "./network.ts";

const { folder, remove } = takeFolder();
let child: ChildProcess | undefined;
afterEach(() => void child?.kill("SIGKILL"));
afterAll(remove);

/** The program, with so many descriptors at most. */
function serveWith(descriptors: number, config: Config): ChildProcess {
  const file = join(folder, "edgeward.yaml");
  writeFileSync(file, textOf(config));
  const command = `ulimit -n ${descriptors} && exec "$0" dist/main.js serve -c "$1"`;
  const env = { PATH: process.env["PATH"], STATE_DIRECTORY: folder };
  child = spawn("sh", ["-c", command, process.execPath, file], { cwd: ROOT, env });
  return child;
}

const ON_LINUX = process.platform === "linux";

it.runIf(ON_LINUX).each([32, 200, 511])(
  "with %i descriptors it says what is wrong, and opens nothing",
  async (most) => {
    const { stdout, stderr } = serveWith(most, await referenceConfig(takeNetwork()));
    const said = await Promise.all([
      text(stdout as NodeJS.ReadableStream),
      text(stderr as NodeJS.ReadableStream),
    ]);
    expect(said.join("")).toMatch(
      new RegExp(
        `^edgeward: this process may have ${most} files and connections open at most, and needs 512 .+\n$`,
      ),
    );
  },
);

it.runIf(ON_LINUX)("512 are enough for a start", { timeout: 120_000 }, async () => {
  const { stderr } = serveWith(512, withPackagedDatabases(await referenceConfig(takeNetwork())));
  let log = "";
  stderr?.on("data", (more: Buffer) => {
    log += more.toString();
    if (/edgeward serves|EMFILE/.test(log)) child?.kill("SIGTERM");
  });
  await new Promise((resolve) => child?.once("close", resolve));
  expect(log).toMatch(/"edgeward serves"/);
  expect(log).not.toMatch(/EMFILE|ENFILE|"level":"(?:warn|error)"/);
});

/** Reads a configuration again and again, and prints each time what is wrong, and how many descriptors are open. */
const READS = `
  const [{ loadConfigInThread }, { readdirSync }] = await Promise.all(
    [process.argv[2] + "/dist/config/thread.js", "node:fs"].map((name) => import(name)),
  );
  const open = () => readdirSync("/proc/self/fd").length;
  const options = { environment: {}, nowMs: 0, generation: 1 };
  for (let i = 0; i < 5; i++) {
    const { problems = [] } = await loadConfigInThread("/none/edgeward.yaml", options);
    console.log(JSON.stringify([problems.map(({ message }) => message).join(), open()]));
  }
  process.exit(0);
`;

it.runIf(ON_LINUX)("leaves none open that a thread would need and does not get, and says so", async () => {
  const script = join(folder, "reads.mjs");
  writeFileSync(script, READS);
  const command = 'ulimit -n 48 && exec "$0" "$1" "$2"';
  child = spawn("sh", ["-c", command, process.execPath, script, ROOT], {
    env: { PATH: process.env["PATH"] },
  });
  const out = await text(child.stdout as NodeJS.ReadableStream);
  const reads = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as [string, number]);
  expect(reads).toHaveLength(5);
  expect(new Set(reads.map(([message]) => message))).toEqual(
    new Set([expect.stringContaining("this machine has no descriptor or memory left")]),
  );
  const open = reads.map(([, count]) => count);
  expect(Math.max(...open) - Math.min(...open)).toBeLessThan(5);
});
