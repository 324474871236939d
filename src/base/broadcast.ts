/** Tells everyone who listens. */
export interface Broadcast<Event> {
  readonly emit: (event: Event) => void;
  /** Returns the way to stop listening. */
  readonly subscribe: (listener: (event: Event) => void) => () => void;
  /** Whether anyone listens. */
  readonly isHeard: () => boolean;
}

export function createBroadcast<Event>(): Broadcast<Event> {
  const listeners = new Set<(event: Event) => void>();
  return {
    emit(event) {
      for (const listener of listeners) listener(event);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    isHeard: () => listeners.size > 0,
  };
}
