/**
 * Stamps for what is kept of services: a number that stays the service's, over reloads too, and one that moves with
 * every state in which something else might be decided. What was kept with another stamp of the same service is known
 * to be its own, and to be old.
 */
export interface Lineage {
  /**
   * The stamp for the state with that epoch.
   * @param epoch as of `ServiceState`, or the same again
   */
  stampIn(epoch: number): number;
}

export interface Lineages {
  of(serviceId: string): Lineage;
  /** Those of other services end. */
  keepOnly(serviceIds: ReadonlySet<string>): void;
}

const MOST = 0xffff;

/** @param onExhausted numbers are given anew: nothing that was stamped may be found any more */
export function createLineages(onExhausted: () => void): Lineages {
  const lineages = new Map<string, { owner: number; state: number; epoch: number }>();
  let owners = 0;

  const nextOwner = (): number => {
    if (owners === MOST) {
      for (const lineage of lineages.values()) lineage.owner = 0;
      owners = 0;
      onExhausted();
    }
    return ++owners;
  };

  return {
    of(serviceId) {
      const known = lineages.get(serviceId);
      const lineage = known ?? { owner: 0, state: 0, epoch: 0 };
      lineages.set(serviceId, lineage);
      return {
        stampIn(epoch) {
          if (lineage.owner === 0 || (epoch !== lineage.epoch && lineage.state === MOST)) {
            lineage.owner = nextOwner();
            lineage.state = 0;
          } else if (epoch !== lineage.epoch) lineage.state++;
          lineage.epoch = epoch;
          return ((lineage.owner << 16) | lineage.state) >>> 0;
        },
      };
    },
    keepOnly(serviceIds) {
      for (const id of lineages.keys()) if (!serviceIds.has(id)) lineages.delete(id);
    },
  };
}
