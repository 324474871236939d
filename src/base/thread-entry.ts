import { Worker, type WorkerOptions } from "node:worker_threads";
import { reasonOf } from "./reason.ts";

/**
 * Where a thread's code lies. It needs compiled JavaScript: where the sources are run by a tool, it is that of the
 * last build.
 * @param from `import.meta.url` of the file beside it
 * @param name of the file, without its ending
 */
export function threadEntry(from: string, name: string): URL {
  const entry = new URL(`./${name}.js`, from);
  return from.endsWith(".ts") ? new URL(entry.href.replace(/\/src\/(?!.*\/src\/)/, "/dist/")) : entry;
}

/** @throws in words, where the system lets this process have no thread more */
export function startThread(entry: URL, options: WorkerOptions): Worker {
  try {
    return new Worker(entry, options);
  } catch (error) {
    throw new Error(`this process can have no thread more (${reasonOf(error)}): ${REMEDIES}`, {
      cause: error,
    });
  }
}

const REMEDIES = "TasksMax= of systemd, `docker run --pids-limit`, `ulimit -u`";
