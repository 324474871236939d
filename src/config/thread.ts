import type { Worker } from "node:worker_threads";
import { freeDescriptors } from "../base/descriptors.ts";
import { startThread, threadEntry } from "../base/thread-entry.ts";
import type { Edge } from "../model/edge.ts";
import type { Problem } from "../model/problem.ts";
import type { LoadedConfig, LoadOptions } from "./load.ts";
import { joinParts, type Part } from "./parts.ts";

/**
 * A file within the limits takes a few seconds of CPU time at the worst, on a machine that has other things to do
 * too; whatever takes longer is not waited for. Who is ended while its modules are still loading leaves their
 * descriptors open.
 */
const patienceMs = 60_000;

/** Ten times what 2,000 edges need: a file that needs more ends its thread, not the program. */
const heapMb = 512;

/**
 * `loadConfig` in a thread of its own, so that reading thousands of edges does not hold up the caller.
 * Never rejects: a thread that fails or takes too long is a problem like any other.
 */
export function loadConfigInThread(file: string, options: LoadOptions): Promise<LoadedConfig> {
  return read({ file, options, isFirst: false }, { heapMb, patienceMs });
}

/**
 * The same before anybody is answered: it comes after nobody, may take as long and as much memory as it takes, and
 * what reads goes with the thread.
 */
export function loadFirstConfigInThread(file: string, options: LoadOptions): Promise<LoadedConfig> {
  return read({ file, options, isFirst: true });
}

/** What the thread is told. */
export interface ReadingOrder {
  readonly file: string;
  readonly options: LoadOptions;
  readonly isFirst: boolean;
}

interface ReadingLimits {
  readonly heapMb: number;
  readonly patienceMs: number;
}

function read(order: ReadingOrder, limits?: ReadingLimits): Promise<LoadedConfig> {
  const { file } = order;
  if ((freeDescriptors() ?? Infinity) < LEAST_FREE_DESCRIPTORS)
    return Promise.resolve({ kind: "problems", problems: [problemOf(file, NO_THREAD)] });
  let worker: Worker;
  try {
    worker = startThread(threadEntry(import.meta.url, "thread-entry"), {
      workerData: order,
      ...(limits && { resourceLimits: { maxOldGenerationSizeMb: limits.heapMb } }),
    });
  } catch (error) {
    const message = `cannot be read for now: ${(error as Error).message}`;
    return Promise.resolve({ kind: "problems", problems: [problemOf(file, message)] });
  }
  return new Promise((settle) => {
    const finish = (result: LoadedConfig): void => {
      clearTimeout(timer);
      settle(result);
      void worker.terminate();
    };
    const fail = (message: string): void =>
      finish({ kind: "problems", problems: [problemOf(file, message)] });
    const timer =
      limits &&
      setTimeout(
        () =>
          fail(
            `takes longer than ${limits.patienceMs / 1000} s to read; make it simpler, or reload when the machine has time`,
          ),
        limits.patienceMs,
      );
    const edges: Edge[] = [];
    worker.on("message", (part: Part) => {
      if (part.kind === "rest") return finish(joinParts(edges, part.result));
      edges.push(...part.edges);
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      worker.postMessage("next");
    });
    worker.once("error", (error: NodeJS.ErrnoException) =>
      fail(
        error.code === "ERR_WORKER_INIT_FAILED" ? NO_THREAD : `cannot be read (${error.code ?? error.name})`,
      ),
    );
    worker.once("exit", (code) => fail(`cannot be read (the thread ended with ${code})`));
  });
}

/** A thread that finds none left while its modules load leaves those that it has open for good. */
const LEAST_FREE_DESCRIPTORS = 128;

const NO_THREAD =
  "cannot be read for now: this machine has no descriptor or memory left for the thread that would read it";

function problemOf(file: string, message: string): Problem {
  return { file, line: 1, column: 1, path: "", message };
}
