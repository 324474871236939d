import type { Log } from "../model/log.ts";

/** A log of which the lines that tell of something wrong are kept. */
export function collecting(lines: string[]): Log {
  const keep = (fields: object, message: string): void =>
    void lines.push(`${message}: ${JSON.stringify(fields)}`);
  return { info: () => {}, warn: keep, error: keep };
}
