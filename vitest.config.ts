import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** Real programs and clocks on a machine that others use too: CI tries again what failed, and shows that it did. */
const retry = process.env["CI"] ? 2 : 0;
/** What is waited for may take long, where others have the processors. */
const expect = { poll: { timeout: 15_000 } };
/** A test that hangs is told of late, and none that does not. */
const patience = { testTimeout: 60_000, hookTimeout: 60_000 };
const shared = { pool: "forks", ...patience, retry, expect } as const;

/** Tests of real programs wait for a third of their time: one more at once than there are processors. */
const maxWorkers = availableParallelism() + 1;

/** Real players drop frames when anything else has the processors. */
const ALONE = ["test/players/**/*.test.ts"];

export default defineConfig({
  test: {
    globalSetup: "test/temporary-folder.ts",
    projects: [
      {
        test: {
          ...shared,
          name: "tests",
          include: ["test/**/*.test.ts"],
          exclude: ["**/node_modules/**", ...ALONE],
          maxWorkers,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...shared,
          name: "alone",
          include: ALONE,
          exclude: ["**/node_modules/**"],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
