import { readdirSync, readFileSync } from "node:fs";
import { isMachineTrouble } from "./machine-trouble.ts";

/**
 * What a start takes with eight threads for either door, most of it for a moment, while they all load their modules
 * (322 on Node 20), and as many again for probes, reports and viewers.
 */
const LEAST_DESCRIPTORS = 512;

/**
 * Why this process cannot run, in one line with what would be right; `undefined`: it can, or the system does not say.
 */
export function whyTooFewDescriptors(): string | undefined {
  const most = mostDescriptors();
  if (most === undefined || most >= LEAST_DESCRIPTORS) return undefined;
  const remedies = "`ulimit -n`, LimitNOFILE= of systemd, `docker run --ulimit nofile=`";
  return `this process may have ${most} files and connections open at most, and needs ${LEAST_DESCRIPTORS} to start; give it 65536 (${remedies})`;
}

/** How many more this process may open now; `undefined`: the system does not say. */
export function freeDescriptors(): number | undefined {
  try {
    const open = readdirSync("/proc/self/fd").length;
    const most = mostDescriptors();
    return most === undefined ? undefined : most - open;
  } catch (error) {
    return isMachineTrouble(error) ? 0 : undefined;
  }
}

/** On Linux; Node itself has raised it as far as it may. */
function mostDescriptors(): number | undefined {
  try {
    const soft = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
