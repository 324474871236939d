import type { Readable } from "node:stream";

/**
 * Reads all that comes, and calls `done` once: with `undefined` as soon as it is too much, and not at all if the client leaves before.
 * @param most octets
 */
export function collect(body: Readable, most: number, done: (octets: Buffer | undefined) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const take = (chunk: Buffer): void => {
    size += chunk.length;
    chunks.push(chunk);
    if (size > most) finish(undefined);
  };
  const end = (): void => finish(Buffer.concat(chunks));
  const finish = (octets: Buffer | undefined): void => {
    body.off("data", take).off("end", end);
    done(octets);
  };
  body.on("data", take).once("end", end);
}
