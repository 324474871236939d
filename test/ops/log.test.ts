import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLog, type LogWriter } from "../../src/ops/log.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "edgeward-log-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("the log", () => {
  it("appends JSON lines with level, time and message", async () => {
    const file = join(folder, "log");
    const log = createLog({ level: "info", destination: file });
    log.info({ edge: "ams1", count: 3 }, "one");
    log.warn({}, "two");
    log.error({ error: new RangeError("broken") }, "three");
    await log.stop();
    const [one, two, three] = linesOf(readFileSync(file, "utf8"));
    expect(one).toMatchObject({ level: "info", edge: "ams1", count: 3, msg: "one" });
    expect(new Date(one?.["time"] as string).getFullYear()).toBeGreaterThan(2000);
    expect(two).toMatchObject({ level: "warn", msg: "two" });
    expect(three).toMatchObject({ level: "error", error: { type: "RangeError", message: "broken" } });
    expect(droppedBy(log)).toBe(0);
  });

  it("leaves out what is below its level", async () => {
    const file = join(folder, "log");
    const log = createLog({ level: "error", destination: file });
    log.info({}, "quiet");
    log.warn({}, "quiet");
    log.error({}, "loud");
    await log.stop();
    expect(linesOf(readFileSync(file, "utf8"))).toMatchObject([{ msg: "loud" }]);
  });

  it("keeps chosen text on its line, and away from the terminal", async () => {
    const file = join(folder, "log");
    const log = createLog({ level: "info", destination: file });
    const text = 'a\nb\r\u001b[2J"\u009b31m\u2028\u202egnp.exe\u007f\ud800';
    log.info({ text }, "hostile");
    await log.stop();
    const written = readFileSync(file, "utf8");
    expect(written.trimEnd()).not.toMatch(/[^\u0020-\u007e]/);
    const [line] = linesOf(written);
    expect(line?.["text"]).toBe(text);
  });

  it("survives a full disk, and counts the lines", async () => {
    const log = createLog({ level: "info", destination: "/dev/full" });
    for (let i = 0; i < 50; i++) log.info({ i }, "lost");
    await log.stop();
    expect(droppedBy(log)).toBe(50);
  });

  it("survives a reader that has gone", async () => {
    const { reader, writer } = pipe();
    const log = createLog({ level: "info", destination: writer });
    closeSync(reader);
    for (let i = 0; i < 50; i++) log.info({ i }, "lost");
    await log.stop();
    closeSync(writer);
    expect(droppedBy(log)).toBe(50);
  });

  it("survives a reader that does not read: bounded, and the rest comes when it reads again", async () => {
    const { reader, writer } = pipe();
    const log = createLog({ level: "info", destination: writer });
    const padding = "x".repeat(1000);
    for (let i = 0; i < 5000; i++) log.info({ i, padding }, "flood");
    const dropped = droppedBy(log);
    expect(dropped).toBeGreaterThan(3000);
    expect(dropped).toBeLessThan(4500);
    const text = await readUntil(reader, (text) => text.split("\n").length - 1 === 5000 - dropped);
    const numbers = linesOf(text).map((line) => line["i"]);
    expect(numbers).toEqual(Array.from({ length: 5000 - dropped }, (_, i) => i));
    log.info({}, "again");
    await readUntil(reader, (text) => text.includes("again"));
    expect(droppedBy(log)).toBe(dropped);
    await log.stop();
    closeSync(reader);
    closeSync(writer);
  });

  it("does not wait for such a reader for ever when it stops", async () => {
    const { reader, writer } = pipe();
    fill(writer);
    const log = createLog({ level: "info", destination: writer });
    log.info({}, "stuck");
    await log.stop();
    log.info({}, "after the end");
    while (droppedBy(log) < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    closeSync(reader);
    closeSync(writer);
  });

  it("throws at start if the file cannot be opened", () => {
    expect(() => createLog({ level: "info", destination: join(folder, "no", "log") })).toThrow("ENOENT");
  });
});

function linesOf(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function droppedBy(log: LogWriter): number {
  const [family] = log.metrics();
  if (family?.name !== "log_dropped_total" || family.kind === "histogram") throw new Error("no such family");
  return family.samples[0]?.value ?? Number.NaN;
}

/** A pipe of the file system; its writing end would block. */
function pipe(): { reader: number; writer: number } {
  const path = join(folder, "pipe");
  execFileSync("mkfifo", [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(path, constants.O_WRONLY) };
}

/** Fills the pipe through a writing end that does not block. */
function fill(writer: number): void {
  const own = openSync(`/proc/self/fd/${writer}`, constants.O_WRONLY | constants.O_NONBLOCK);
  expect(() => {
    for (;;) writeSync(own, "x".repeat(4096));
  }).toThrow("EAGAIN");
  closeSync(own);
}

async function readUntil(reader: number, enough: (text: string) => boolean): Promise<string> {
  const chunk = Buffer.alloc(1 << 16);
  let text = "";
  while (!enough(text)) {
    try {
      text += chunk.toString("utf8", 0, readSync(reader, chunk));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return text;
}
