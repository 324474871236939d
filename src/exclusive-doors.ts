import { persist } from "./base/persist.ts";
import type { BalancerContext } from "./mistserver/balancer.ts";
import { type MistDoor, startMistDoor } from "./mistserver/door.ts";
import type { Endpoint, Inventory } from "./model/inventory.ts";
import type { Log } from "./model/log.ts";
import type { MetricSource } from "./model/metrics.ts";
import type { OpsApi } from "./ops/api.ts";
import { type OpsDoor, startOpsDoor } from "./ops/door.ts";

export interface ExclusiveDoorsOptions {
  /** Of now: doors may open long after the start. */
  readonly inventory: () => Inventory;
  readonly api: OpsApi;
  readonly mistContext: () => BalancerContext | undefined;
  readonly version: string;
  readonly log: Log;
}

/**
 * Doors that two processes cannot have open at one address: the operators', and the one in place of MistServer's
 * balancer.
 */
export interface ExclusiveDoors {
  /** @throws if its address cannot be listened on, with the address and the reason */
  openOps(): Promise<void>;
  /** @throws as `openOps` */
  openMist(): Promise<void>;
  /**
   * Opens both, however often it takes: nobody can be asked about it, and viewers are served meanwhile.
   * @throws what the last attempt threw, once the signal is aborted
   */
  openAtLast(signal: AbortSignal): Promise<void>;
  /** Where the operators' door really listens, or did; `undefined` if it was never open. */
  opsEndpoint(): Endpoint | undefined;
  take(inventory: Inventory): void;
  readonly metrics: MetricSource;
  /** Closes those that are open. */
  stop(): Promise<void>;
}

export function createExclusiveDoors(options: ExclusiveDoorsOptions): ExclusiveDoors {
  const { inventory, api, mistContext, version, log } = options;
  let ops: OpsDoor | undefined;
  let mist: MistDoor | undefined;
  let opsEndpoint: Endpoint | undefined;

  const openOps = async (): Promise<void> => {
    const { listen, ops: settings } = inventory();
    ops = await startOpsDoor({ endpoint: listen.ops, tokens: settings.tokens, api, log, version });
    opsEndpoint = ops.endpoint;
  };
  const openMist = async (): Promise<void> => {
    const endpoints = inventory().listen.mistserver ?? [];
    mist = await startMistDoor({ endpoints, context: mistContext, log });
  };
  const failed = (error: unknown): void => log.error({ error }, "a door stays closed for now");

  return {
    openOps,
    openMist,
    async openAtLast(signal) {
      for (const open of [openOps, openMist]) await persist(open, { failed, pauseMs: PAUSE_MS, signal });
    },
    opsEndpoint: () => opsEndpoint,
    take: (next) => ops?.take(next.ops),
    metrics: () => mist?.metrics() ?? [],
    async stop() {
      const open = [mist, ops];
      [mist, ops] = [undefined, undefined];
      for (const door of open) await door?.stop();
    },
  };
}

const PAUSE_MS = 1000;
