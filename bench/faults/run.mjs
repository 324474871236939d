// npm run bench -- faults [--only=NAME,…]
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { inScratch, isInstalled } from "../lib/process.mjs";
import { progress, publish } from "../lib/publish.mjs";
import { faults as configurations } from "./configurations.mjs";
import { faults as databases } from "./databases.mjs";
import { faults as floods } from "./floods.mjs";
import { faults as http } from "./http.mjs";
import { faults as injection } from "./injection.mjs";
import { faults as loads } from "./loads.mjs";
import { faults as log } from "./log.mjs";
import { faults as loop } from "./loop.mjs";
import { faults as rateLimit } from "./rate-limit.mjs";
import { faults as reload } from "./reload.mjs";
import { faults as replace } from "./replace.mjs";
import { faults as start } from "./start.mjs";
import { faults as tcp } from "./tcp.mjs";

const ALL = [
  ...rateLimit,
  ...tcp,
  ...injection,
  ...loop,
  ...reload,
  ...replace,
  ...start,
  ...configurations,
  ...databases,
  ...floods,
  ...loads,
  ...http,
  ...log,
];
const ONLY = process.argv
  .find((arg) => arg.startsWith("--only="))
  ?.slice("--only=".length)
  .split(",");
const CHOSEN = ALL.filter(({ name }) => ONLY?.includes(name) ?? true);

await inScratch(async (scratch) => {
  const rows = [];
  for (const { name, what, needs = [], run } of CHOSEN) {
    const missing = needs.filter((program) => !isInstalled(program));
    if (missing.length > 0) {
      rows.push([name, what, "left out", `not installed: ${missing.join(", ")}`]);
      continue;
    }
    const folder = join(scratch, name);
    mkdirSync(folder);
    const { held, figure } = await run(folder);
    progress(`${name}: ${held ? "held" : "NOT HELD"}: ${figure}`);
    if (!held) process.exitCode = 1;
    rows.push([name, what, held ? "yes" : "NO", figure]);
  }
  publish({
    bench: "faults",
    question: "What do the doors do when things go wrong?",
    tables: [{ title: "Faults", columns: ["fault", "what is done", "held", "figure"], rows }],
  });
});
