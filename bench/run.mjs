// npm run bench [-- NAME… [--json]]: runs all benches, or those named; each is one question.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Those that need a server run it themselves, on loopback. */
const BENCHES = {
  decisions: { file: "decisions/run.mjs", question: "how many decisions a CPU second makes" },
  geo: { file: "geo.mjs", question: "how many clients a CPU second locates" },
  dns: { file: "dns/run.mjs", question: "how many queries a CPU second answers, beside other servers" },
  "dns-live": { file: "dns/live.mjs", question: "what a query costs with 50 edges whose prices move" },
  "dns-threads": { file: "dns/threads.mjs", question: "whether a query costs more when two threads answer" },
  "dns-reload": { file: "dns/reload.mjs", question: "whether a reload shows in the delay of answers" },
  "dns-size": { file: "dns/size.mjs", question: "what a query costs with many services and edges" },
  scopes: { file: "scopes.mjs", question: "how many answers a caching resolver has to hold" },
  http: { file: "http/run.mjs", question: "how many redirects a CPU second sends, beside nginx" },
  take: { file: "take.mjs", question: "how long the steps are in which a configuration is taken" },
  start: { file: "start.mjs", question: "how long a start takes, and how much memory a service" },
  faults: { file: "faults/run.mjs", question: "what the doors do when things go wrong" },
  polling: { file: "polling.mjs", question: "what reading the load of 500 edges costs" },
  probes: { file: "probes.mjs", question: "how long a dead edge is still named, by type of probe" },
  solve: { file: "solve.mjs", question: "how long a solution of the prices takes" },
  selection: { file: "selection/run.mjs", question: "how well edges are chosen, in a simulator" },
};

process.exitCode = main(process.argv.slice(2));

/** @param {readonly string[]} args */
function main(args) {
  const flags = args.filter((arg) => arg.startsWith("-"));
  const named = args.filter((arg) => !arg.startsWith("-"));
  const unknown = named.filter((name) => !Object.hasOwn(BENCHES, name));
  if (flags.includes("--help") || unknown.length > 0) {
    for (const name of unknown) process.stderr.write(`no bench is called ${JSON.stringify(name)}\n`);
    process.stderr.write(usage());
    return unknown.length > 0 ? 2 : 0;
  }
  const names = named.length > 0 ? named : Object.keys(BENCHES);
  const failed = names.filter((name) => !runs(name, flags));
  if (failed.length > 0) process.stderr.write(`failed: ${failed.join(", ")}\n`);
  return failed.length > 0 ? 1 : 0;
}

function usage() {
  const lines = Object.entries(BENCHES).map(([name, { question }]) => `  ${name.padEnd(10)} ${question}\n`);
  return `npm run bench [-- NAME… [--json]]\n${lines.join("")}`;
}

/** @param {string} name @param {readonly string[]} flags */
function runs(name, flags) {
  const { file } = BENCHES[/** @type {keyof typeof BENCHES} */ (name)];
  process.stderr.write(`── ${name}\n`);
  const path = join(dirname(fileURLToPath(import.meta.url)), file);
  return spawnSync(process.execPath, [path, ...flags], { stdio: "inherit" }).status === 0;
}
