import type { Readable } from "node:stream";
import { problem } from "./answer.ts";
import type { Reads } from "./cmcd.ts";
import type { Response } from "./respond.ts";

/**
 * Reads all that comes, and calls `done` once: with `undefined` as soon as it is too much, and not at all if the
 * client leaves before.
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

/**
 * What is answered once the body is read.
 * @param octets `undefined`: it is too long
 */
export function withBody(made: Response, { take }: Reads, octets: Buffer | undefined): Response {
  if (octets !== undefined) return { ...made, answer: take(octets.toString("latin1")) };
  return { ...made, answer: problem(413, "more events than are read at once", false) };
}
