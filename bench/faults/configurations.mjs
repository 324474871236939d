import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { askAtPace } from "./clients.mjs";
import { withEdgeward } from "./server.mjs";

/** One octet more than a file may have. */
const TOO_MANY_OCTETS = 2 ** 20 + 1;

/** @type {readonly import("./fault.ts").Fault[]} */
export const faults = [
  {
    name: "bad-configurations",
    what: "100 wrong configurations take the place of the right one and are asked to be read, under 200 queries per second; then the right one, changed",
    needs: ["mkfifo"],
    run: badConfigurations,
  },
];

/** @param {string} folder @returns {Promise<import("./fault.ts").Outcome>} */
function badConfigurations(folder) {
  return withEdgeward(folder, {}, async ({ file, ports }) => {
    const right = readFileSync(file, "utf8");
    const asked = askAtPace({ port: ports.dns, from: "127.0.4.1", perSecond: 200, seconds: 30 });
    const reload = async () => {
      const response = await fetch(`http://127.0.0.1:${ports.ops}/v1/reload`, { method: "POST" });
      return { status: response.status, body: /** @type {Told} */ (await response.json()) };
    };
    let refused = 0;
    const wrongs = wrongsOf(right);
    for (const put of wrongs) {
      rmSync(file, { recursive: true, force: true });
      put(file);
      const { status, body } = await reload();
      if (status === 422 && isPlaced(body, file)) refused++;
    }
    rmSync(file, { recursive: true, force: true });
    writeFileSync(file, right.replace("http://", "https://"));
    const { status } = await reload();
    const { full, sent } = await asked;
    return {
      held: refused === wrongs.length && status === 200 && full === sent,
      figure: `${refused} of ${wrongs.length} refused with file and line, the right one ${status === 200 ? "taken" : "refused"}; DNS ${full} of ${sent}`,
    };
  });
}

/** @typedef {{ problems?: { file: string, line: number, message: string }[] }} Told */

/** @param {Told} told @param {string} file */
function isPlaced({ problems = [] }, file) {
  return (
    problems.length > 0 &&
    problems.every((each) => each.file === file && each.line >= 1 && each.message !== "")
  );
}

/**
 * Ways to put something wrong where a configuration was.
 * @param {string} right JSON, as the right one is
 * @returns {((file: string) => void)[]}
 */
function wrongsOf(right) {
  const lines = right.split("\n");
  const writing = (/** @type {string | Buffer} */ text) => (/** @type {string} */ file) =>
    writeFileSync(file, text);
  const renaming = (/** @type {string} */ text) => (/** @type {string} */ file) => {
    writeFileSync(`${file}~`, text);
    renameSync(`${file}~`, file);
  };
  const spread = (/** @type {number} */ count) =>
    Array.from({ length: count }, (_, i) => (i + 1) / (count + 1));
  const cut = spread(45).map((share) => writing(right.slice(0, Math.floor(right.length * share))));
  const misspelt = spread(46).map((share) => {
    const keyed = lines.flatMap((line, i) => (/^\s+"[a-z]\w{3,}":/i.test(line) ? [i] : []));
    const at = keyed[Math.floor(keyed.length * share)] ?? 0;
    return renaming(lines.with(at, (lines[at] ?? "").replace(/"(\w+)":/, '"$1 x":')).join("\n"));
  });
  const bomb = [
    "a0: &a0 [x, x]",
    ...spread(30).map((_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}, *a${i}]`),
  ];
  return [
    ...cut,
    ...misspelt,
    () => {},
    writing(""),
    writing("# nothing\n"),
    writing("[".repeat(100_000)),
    writing(bomb.join("\n")),
    writing(" ".repeat(TOO_MANY_OCTETS)),
    writing(Buffer.from(right, "utf16le")),
    (file) => mkdirSync(file),
    (file) => void execFileSync("mkfifo", [file]),
  ];
}
