import type { Endpoint } from "../model/inventory.ts";
import { loadLibc } from "./libc.ts";

/** Sockets that listen at one address, on their way from one process to the next. Plain data. */
export interface HandedSockets {
  /** What they are for: only who opens the same again is given them. */
  readonly use: string;
  /** As the configuration names it, port 0 too. */
  readonly asked: Endpoint;
  /** Descriptors of this process. */
  readonly fds: readonly number[];
}

/** What the process before this one handed over; each socket is given once. */
export interface InheritedSockets {
  /** Empty where there is none for this use at this address. */
  take(use: string, asked: Endpoint): readonly number[];
  /** Those that nobody has taken; they are the caller's then. */
  rest(): readonly number[];
}

export function inheritSockets(handed: readonly HandedSockets[]): InheritedSockets {
  const left = new Set(handed);
  return {
    take(use, { host, port }) {
      for (const one of left) {
        if (one.use !== use || one.asked.host !== host || one.asked.port !== port) continue;
        left.delete(one);
        return one.fds;
      }
      return [];
    },
    rest() {
      const fds = [...left].flatMap((one) => one.fds);
      left.clear();
      return fds;
    },
  };
}

/** Those of addresses that are no longer configured. */
export function closeSockets(fds: readonly number[]): void {
  const loaded = loadLibc();
  if (loaded.kind === "loaded") for (const fd of fds) loaded.libc.close(fd);
}

/** Of a process that replaces none. */
export const NOTHING_INHERITED: InheritedSockets = inheritSockets([]);
