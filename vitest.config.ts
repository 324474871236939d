import { defineConfig } from "vitest/config";

const shared = { pool: "forks", testTimeout: 20_000, hookTimeout: 30_000 } as const;

/** Real players drop frames when anything else has the processors. */
const ALONE = ["test/players/**/*.test.ts"];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: "tests",
          include: ["test/**/*.test.ts"],
          exclude: ["**/node_modules/**", ...ALONE],
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
