/** Asks the configured canary, with the probes that edges get. */
import type { FailStatic } from "../condition/fail-static.ts";
import type { Edge } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import { type Prober, startProbes } from "../probe/prober.ts";

export interface CanaryWatch {
  take(inventory: Inventory): void;
  readonly stop: () => void;
}

export interface CanaryOptions {
  readonly log: Log;
  readonly onCanary: FailStatic["canary"];
  /** Of probes; a test has others. */
  readonly startProbes?: typeof startProbes;
}

/** Reached while any of its addresses accepts or refuses a connection; also where no canary is configured. */
export function watchCanary(options: CanaryOptions): CanaryWatch {
  const { log, onCanary } = options;
  const silent = new Set<number>();
  const prober: Prober = (options.startProbes ?? startProbes)({
    log,
    onHealth(_, { family, health, reason }) {
      if (health === "down" && reason !== "refused") silent.add(family);
      else if (health !== "unknown") silent.delete(family);
      onCanary(families.some((each) => !silent.has(each)));
    },
  });
  let families: readonly number[] = [];
  return {
    take(inventory) {
      const { canary } = inventory;
      families = [...new Set((canary?.addresses ?? []).map(({ family }) => family))];
      silent.clear();
      if (canary === undefined) onCanary(true);
      prober.take({ ...inventory, edges: canary === undefined ? [] : [edgeOf(canary)] });
    },
    stop: () => prober.stop(),
  };
}

function edgeOf({ addresses, port, intervalMs, timeoutMs }: NonNullable<Inventory["canary"]>): Edge {
  return {
    id: "canary",
    index: 0,
    location: { latitude: 0, longitude: 0 },
    addresses,
    tags: [],
    capacity: {},
    weight: 0,
    state: "active",
    probe: { type: "tcp", port, intervalMs, timeoutMs, rise: 1, fall: 1 },
    load: [],
  };
}
