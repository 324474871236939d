/** Has the properties of what is there later: of what a hook starts, for tests that are written down before. */
export function standIn<T extends object>(later: () => T | undefined): T {
  return new Proxy({} as T, { get: (_, name) => later()?.[name as keyof T] });
}
