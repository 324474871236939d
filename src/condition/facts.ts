import { type Facts, STATE_ACTIVE, STATE_DRAIN, STATE_OFF, UP_IPV4, UP_IPV6 } from "../model/world.ts";
import type { Entry } from "./entry.ts";

/** In columns, by position among the entries. */
export function factsOf(generation: number, entries: readonly Entry[]): Facts {
  return {
    generation,
    up: Uint8Array.from(entries, upBits),
    ...downAddresses(entries),
    state: Uint8Array.from(entries, stateNumber),
    inDoubt: Uint8Array.from(entries, inDoubt),
    loadRatio: Float64Array.from(entries, ({ view }) => view.loadRatio),
    viewers: Float64Array.from(entries, ({ view }) => view.load.viewers ?? Number.NaN),
    perViewer: Float64Array.from(entries, ({ view }) => view.perViewer),
    viewersAtMs: Float64Array.from(entries, ({ view }) => view.viewersAtMs),
    loadAtMs: Float64Array.from(entries, ({ view }) => view.loadAtMs),
  };
}

/** As in `Facts.downAddresses`. */
function downAddresses(entries: readonly Entry[]): Pick<Facts, "downAddresses"> {
  const down = entries.flatMap((entry, i) =>
    entry.downAddresses === 0 ? [] : [[i, entry.downAddresses] as const],
  );
  return down.length === 0 ? {} : { downAddresses: new Map(down) };
}

/** Bits as in `World.up`. */
export function upBits({ health }: Entry): number {
  return health
    .filter(({ health }) => health === "up")
    .reduce((bits, { family }) => bits | (family === 4 ? UP_IPV4 : UP_IPV6), 0);
}

/** As in `Facts.inDoubt`. */
function inDoubt({ health }: Entry): number {
  return health.some(({ inDoubt }) => inDoubt === true) ? 1 : 0;
}

/** Number as in `World.state`. */
function stateNumber({ view }: Entry): number {
  switch (view.effective.state) {
    case "active":
      return STATE_ACTIVE;
    case "drain":
      return STATE_DRAIN;
    case "off":
      return STATE_OFF;
  }
}
