import { expect, it } from "vitest";
import { createReplacing } from "../src/replacing.ts";

it.each([
  ["ends", AbortSignal.abort(), "info", "this process is not replaced"],
  ["serves on", new AbortController().signal, "error", "this process is not replaced and serves on"],
] as const)("says of a process that is not replaced that it %s", async (_what, stopped, level, message) => {
  const told: [string, string][] = [];
  const tell = (to: string) => (_fields: object, text: string) => void told.push([to, text]);
  const replacing = createReplacing({
    log: { info: tell("info"), warn: tell("warn"), error: tell("error") },
    manager: undefined,
    app: () => {
      throw new Error("it is not to be asked for");
    },
    isDemo: true,
    check: async () => [],
    stopped,
  });
  expect(await replacing.replace()).toMatchObject({ kind: "failed" });
  expect(told).toEqual([[level, message]]);
});
