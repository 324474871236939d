import { appendFile, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readShared } from "../../src/geo/read.ts";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "geo-"));
  path = join(folder, "x.mmdb");
});

afterEach(() => rm(folder, { recursive: true }));

async function reasonOf(file: string): Promise<string> {
  const result = await readShared(file);
  return result.kind === "read" ? "read" : result.reason;
}

/** A file of that size without occupying a disk. */
async function sparse(octets: number): Promise<void> {
  await writeFile(path, "");
  await truncate(path, octets);
}

describe("reading a file", () => {
  it("gives all of it, in memory that threads can share", async () => {
    const content = Buffer.alloc(9 * 2 ** 20, "edge");
    await writeFile(path, content);
    const result = await readShared(path);
    expect(result.kind === "read" && content.equals(result.bytes)).toBe(true);
    expect(result.kind === "read" && result.bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it("refuses what is not there, not a file, empty, or larger than any database", async () => {
    expect(await reasonOf(path)).toBe("absent");
    expect(await reasonOf(folder)).toBe("unreadable");
    await sparse(0);
    expect(await reasonOf(path)).toBe("empty-file");
    await sparse(2 ** 30 + 1);
    expect(await reasonOf(path)).toBe("too-large");
  });

  it("notices that the file is written to meanwhile", async () => {
    await sparse(64 * 2 ** 20);
    const progress = { reading: true };
    const reason = reasonOf(path).finally(() => {
      progress.reading = false;
    });
    while (progress.reading) await appendFile(path, "x");
    expect(await reason).toBe("changed");
  });
});
