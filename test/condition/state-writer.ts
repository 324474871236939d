/** Run on its own, to be killed: writes one state after the other for ever, each so long that a half would show. */
import { createStateFile } from "../../src/condition/state-file.ts";

const [file = ""] = process.argv.slice(2);
const stateFile = createStateFile(file, { info() {}, warn() {}, error() {} });
for (let round = 0; ; round++) {
  const override = {
    state: "drain",
    by: "eva",
    reason: String(round),
    atMs: round,
    fileState: "active",
  } as const;
  await stateFile.write(Array.from({ length: 2000 }, (_, i) => ({ ...override, edgeId: `edge${i}` })));
  if (round === 0) process.stdout.write("ready\n");
}
