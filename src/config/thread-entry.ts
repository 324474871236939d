import { parentPort, workerData } from "node:worker_threads";
import { standBack } from "../base/stand-back.ts";
import { type LoadOptions, loadConfig } from "./load.ts";
import { partsOf } from "./parts.ts";

// Who answers needs the processor more; an edit has two seconds.
standBack(5);

const { file, options } = workerData as { file: string; options: LoadOptions };
const parts = partsOf(await loadConfig(file, options));

parentPort?.on("message", sendNext);
sendNext();

/** Each part is asked for: what is sent at once would be taken in at once. */
function sendNext(): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(parts.next().value);
}
