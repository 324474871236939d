import { EventEmitter } from "node:events";
import type { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { superviseThread, type ThreadDeath } from "../../src/base/supervise.ts";
import { createFakeClock } from "./fake-clock.ts";

/** As much of a thread as is supervised. */
class FakeWorker extends EventEmitter {
  readonly told: unknown[] = [];
  postMessage(message: unknown): void {
    this.told.push(message);
  }
  terminate(): void {
    this.emit("exit", 1);
  }
}

/** @param failures by how many starts before there were: what the start throws */
function supervised(failures: Readonly<Record<number, Error>> = {}) {
  const clock = createFakeClock();
  const workers: FakeWorker[] = [];
  const deaths: ThreadDeath[] = [];
  let starts = 0;
  const thread = superviseThread({
    clock,
    start() {
      const failure = failures[starts++];
      if (failure !== undefined) throw failure;
      const worker = new FakeWorker();
      workers.push(worker);
      return worker as unknown as Worker;
    },
    onMessage: () => {},
    onDeath: (death) => void deaths.push(death),
  });
  return { clock, workers, deaths, thread, newest: () => workers.at(-1) as FakeWorker };
}

describe("a supervised thread", () => {
  it("is replaced at once when it had run well, later when it dies again and again", async () => {
    const { clock, workers, deaths, newest } = supervised();
    await clock.advance(10_000);
    newest().emit("error", new Error("out of luck"));
    newest().emit("exit", 1);
    await clock.advance(0);
    expect(workers).toHaveLength(2);
    for (let i = 0; i < 3; i++) {
      newest().emit("exit", 7);
      await clock.advance(5000);
    }
    expect(deaths).toEqual([
      { reason: "out of luck", pauseMs: 0 },
      { reason: "ended with 7", pauseMs: 50 },
      { reason: "ended with 7", pauseMs: 100 },
      { reason: "ended with 7", pauseMs: 200 },
    ]);
  });

  it("is started again later where the system has no thread left for the one that takes its place", async () => {
    const none = new Error("EAGAIN");
    const { clock, workers, deaths, newest, thread } = supervised({ 1: none, 2: none });
    newest().emit("exit", 1);
    await clock.advance(50);
    expect(deaths.map(({ reason }) => reason)).toEqual(["ended with 1", "EAGAIN"]);
    await clock.advance(1000);
    expect(workers).toHaveLength(2);
    thread.post("hello");
    expect(newest().told).toEqual(["hello"]);
  });

  it("is none where the first cannot be started: that is the caller's to tell", () => {
    expect(() => supervised({ 0: new Error("EAGAIN") })).toThrow("EAGAIN");
  });

  it("is not started any more once it is stopped in a pause", async () => {
    const { clock, workers, newest, thread } = supervised();
    newest().emit("exit", 1);
    await thread.stop("end");
    await clock.advance(60_000);
    expect(workers).toHaveLength(1);
  });

  it("is ended if it does not end by itself within the patience", async () => {
    const { clock, newest, thread, deaths } = supervised();
    const stopped = thread.stop("end", 300);
    expect(newest().told).toEqual(["end"]);
    await clock.advance(300);
    await stopped;
    expect(deaths).toEqual([]);
  });
});
