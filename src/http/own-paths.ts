import type { Target } from "./target.ts";

/** Paths of our own, on every service's hostname. */
export const RESERVED = "/.edgeward";
export const STEERING = `${RESERVED}/steering`;
export const CMCD = `${RESERVED}/cmcd`;

/** Those of our own paths behind which a stream may be named. */
export function ownAt(path: string): typeof STEERING | typeof CMCD | undefined {
  if (!path.startsWith(RESERVED)) return undefined;
  if (isAt(STEERING, path)) return STEERING;
  return isAt(CMCD, path) ? CMCD : undefined;
}

/** What stands behind an address of ours. */
export function streamPathOf(own: string, { path }: Target): string | undefined {
  return path.length > own.length + 1 ? path.slice(own.length) : undefined;
}

export function isAt(prefix: string, path: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === "/");
}
