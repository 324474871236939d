import { setImmediate as nextTurn } from "node:timers/promises";
import { reasonOf } from "../base/reason.ts";
import type { LoadedConfig } from "../config/load.ts";
import { compileInSteps } from "../dns/namespace.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Problem } from "../model/problem.ts";

/**
 * The same, or a problem where its names cannot be compiled: threads that answer DNS would end of it, again and
 * again. No check of the configuration is to let such a one through; this is for the one that does.
 */
export async function withCompiledNames(loaded: LoadedConfig): Promise<LoadedConfig> {
  if (loaded.kind === "problems") return loaded;
  const flaw = await flawOfNames(loaded.inventory);
  if (flaw === undefined) return loaded;
  const { digest } = loaded;
  return { kind: "problems", problems: [flaw], ...(digest === undefined ? {} : { digest }) };
}

/** What is wrong with its names; others have their turn meanwhile. */
async function flawOfNames({ file, zones, services, dns }: Inventory): Promise<Problem | undefined> {
  try {
    const steps = compileInSteps(zones, services, dns);
    while (steps.next().done !== true) await nextTurn();
    return undefined;
  } catch (error) {
    const message = `nobody could be answered by these names: ${reasonOf(error)}; leave out what is named there`;
    return { file, line: 1, column: 1, path: "zones", message };
  }
}
