export interface FirstRound {
  /** The first set of keys; later ones do not count. */
  expect(keys: readonly string[]): void;
  done(key: string): void;
  /** Resolves when each of the first set is done. */
  readonly complete: Promise<void>;
}

export function createFirstRound(): FirstRound {
  let resolve: () => void;
  const complete = new Promise<void>((done) => {
    resolve = done;
  });
  let missing: Set<string> | undefined;
  const check = (): void => {
    if (missing?.size === 0) resolve();
  };
  return {
    expect(keys) {
      missing ??= new Set(keys);
      check();
    },
    done(key) {
      missing?.delete(key);
      check();
    },
    complete,
  };
}
