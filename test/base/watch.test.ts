import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, type Mock, vi } from "vitest";
import { watchFiles } from "../../src/base/watch.ts";

/** What every file is refused with, while this is set. */
const machine = vi.hoisted(() => ({ trouble: undefined as string | undefined, refusals: 0 }));
vi.mock("node:fs/promises", async (actual) => {
  const fs = await actual<typeof import("node:fs/promises")>();
  const realpath = async (path: string): Promise<string> => {
    if (machine.trouble === undefined) return fs.realpath(path);
    machine.refusals++;
    throw Object.assign(new Error(machine.trouble), { code: machine.trouble });
  };
  return { ...fs, realpath };
});

let folder: string;
let stop: () => void = () => {};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "edgeward-watch-"));
});
afterEach(() => {
  machine.trouble = undefined;
  stop();
  rmSync(folder, { recursive: true });
});

interface Watch {
  readonly changed: Mock<() => void>;
  /** Waits until so many more looks have begun; each begins when the one before is over. */
  readonly looks: (more: number) => Promise<void>;
}

function watching(...files: string[]): Watch {
  const changed = vi.fn<() => void>();
  let looks = 0;
  const list = async (): Promise<string[]> => {
    looks++;
    return files;
  };
  stop = watchFiles(list, changed, 20);
  return {
    changed,
    async looks(more) {
      const wanted = looks + more;
      await vi.waitFor(() => expect(looks).toBeGreaterThanOrEqual(wanted), PATIENCE_MS);
    },
  };
}

const PATIENCE_MS = 15_000;

/** Watches, lets the first look pass, does the deed, and waits for the call. */
async function seen(file: string, deed: () => void): Promise<void> {
  const { changed, looks } = watching(file);
  await looks(3);
  expect(changed).not.toHaveBeenCalled();
  deed();
  await vi.waitFor(() => expect(changed).toHaveBeenCalled(), PATIENCE_MS);
}

describe("watchFiles", () => {
  it("sees an edit in place, even of the same size and time", async () => {
    const file = join(folder, "a.yaml");
    writeFileSync(file, "one");
    utimesSync(file, 1, 1);
    await seen(file, () => {
      writeFileSync(file, "two");
      utimesSync(file, 1, 1);
    });
  });

  it("sees an editor's rename over the file", async () => {
    const file = join(folder, "a.yaml");
    writeFileSync(file, "one");
    await seen(file, () => {
      writeFileSync(`${file}~`, "two");
      renameSync(`${file}~`, file);
    });
  });

  it("goes on while a named pipe stands among the files, which nobody writes to", async () => {
    const pipe = join(folder, "pipe.yaml");
    const file = join(folder, "a.yaml");
    execFileSync("mkfifo", [pipe]);
    writeFileSync(file, "one");
    const { changed, looks } = watching(pipe, file);
    const isSeen = async (): Promise<void> => {
      await looks(3);
      writeFileSync(file, "two");
      await vi.waitFor(() => expect(changed).toHaveBeenCalled(), PATIENCE_MS);
    };
    await isSeen().finally(() => {
      // Whoever waits for a writer, sees one come and go.
      closeSync(openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK));
    });
  });

  it("sees a swapped ..data symlink", async () => {
    for (const version of ["v1", "v2"]) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, "a.yaml"), "same");
    }
    symlinkSync("v1", join(folder, "..data"));
    symlinkSync("..data/a.yaml", join(folder, "a.yaml"));
    await seen(join(folder, "a.yaml"), () => {
      symlinkSync("v2", join(folder, "..data_tmp"));
      renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    });
  });

  it("sees a file go and come", async () => {
    const file = join(folder, "a.yaml");
    writeFileSync(file, "one");
    await seen(file, () => unlinkSync(file));
    stop();
    await seen(file, () => writeFileSync(file, "one"));
  });

  it("takes no want of descriptors for an edit, neither when it comes nor when it ends", async () => {
    const file = join(folder, "a.yaml");
    writeFileSync(file, "one");
    const { changed, looks } = watching(file);
    await looks(3);
    machine.refusals = 0;
    machine.trouble = "EMFILE";
    await vi.waitFor(() => expect(machine.refusals).toBeGreaterThan(2), PATIENCE_MS);
    machine.trouble = undefined;
    await looks(3);
    expect(changed).not.toHaveBeenCalled();
    writeFileSync(file, "two");
    await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(1), PATIENCE_MS);
  });
});
