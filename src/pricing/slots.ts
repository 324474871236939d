import { newSentCounts, type SentCounts } from "./ledger.ts";

/** Places in the shared counts: an edge keeps its own over a reload, whatever its index becomes. */
export interface Slots {
  /**
   * By `Edge.index`.
   * @param onFreed told of each place whose edge is not there any more, before another has it
   */
  assign(ids: readonly string[], onFreed: (slot: number) => void): Uint16Array;
  /** Another one only when there are more edges than ever had a place. */
  readonly counts: SentCounts;
}

export function createSlots(): Slots {
  const byId = new Map<string, number>();
  let counts = newSentCounts(MIN_SLOTS);
  return {
    get counts() {
      return counts;
    },
    assign(ids, onFreed) {
      const present = new Set(ids);
      for (const [id, slot] of byId) {
        if (present.has(id)) continue;
        byId.delete(id);
        onFreed(slot);
      }
      while (ids.length > counts.length / 2) counts = newSentCounts(counts.length);
      const taken = new Set(byId.values());
      let free = 0;
      return Uint16Array.from(ids, (id) => {
        const known = byId.get(id);
        if (known !== undefined) return known;
        while (taken.has(free)) free++;
        taken.add(free);
        byId.set(id, free);
        return free;
      });
    },
  };
}

const MIN_SLOTS = 64;
