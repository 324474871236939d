import { mkdtempSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { putLine, newLineRing } from "../../src/base/line-ring.ts";
import { createQueryLogFile, type QueryLogFile } from "../../src/dns/query-log-file.ts";
import type { Log } from "../../src/model/log.ts";
import { createFakeClock } from "../base/fake-clock.ts";

function droppedIn({ metrics }: QueryLogFile): number {
  const [sample] = metrics()[0]?.samples ?? [];
  return sample !== undefined && "value" in sample ? sample.value : 0;
}

it.runIf(process.platform === "linux")(
  "tells once that the disk is full, and when it takes lines again",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "edgeward-query-log-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const destination = join(folder, "queries.log");
    symlinkSync("/dev/full", destination);
    const ring = newLineRing(1 << 16);
    const news: unknown[] = [];
    const log: Log = {
      info: (_, message) => void news.push(message),
      warn() {},
      error: (fields, message) => void news.push([(fields as { code?: unknown }).code, message]),
    };
    const clock = createFakeClock();
    const file = createQueryLogFile([ring], log, clock);
    onTestFinished(() => file.stop());
    file.take({ destination, sample: 1, wholeAddresses: false });
    const lineIs = async (isSo: () => unknown): Promise<void> =>
      vi.waitFor(
        async () => {
          putLine(ring, Buffer.from("{}\n"));
          await clock.advance(1000);
          expect(isSo()).toBeTruthy();
        },
        { timeout: 10_000, interval: 5 },
      );
    const full = ["ENOSPC", "the query log cannot be written; its lines are dropped meanwhile"];
    await lineIs(() => news.length > 0);
    await lineIs(() => droppedIn(file) > 5);
    expect(news).toEqual([full]);

    unlinkSync(destination);
    writeFileSync(destination, "");
    file.reopen();
    await lineIs(() => readFileSync(destination, "utf8") !== "");
    await lineIs(() => news.length > 1);
    expect(news).toEqual([full, "no write of the query log has failed for ten seconds"]);
  },
);
