import { parentPort, workerData } from "node:worker_threads";
import { type LoadOptions, loadConfig } from "./load.ts";

const { file, options } = workerData as { file: string; options: LoadOptions };
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(await loadConfig(file, options));
