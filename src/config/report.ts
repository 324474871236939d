import type { Path } from "./tree.ts";

/** Takes a problem at a path; the path may lead to what is missing. */
export type Report = (path: Path, message: string) => void;

/** For a part of the configuration that tells its paths from its own root. */
export function under(report: Report, ...base: Path): Report {
  return (path, message) => report([...base, ...path], message);
}
