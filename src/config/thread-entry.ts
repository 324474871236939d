import { parentPort, workerData } from "node:worker_threads";
import { standBack } from "../base/stand-back.ts";
import type { ReadingOrder } from "./thread.ts";

const { file, options, isFirst } = workerData as ReadingOrder;

// Who answers needs the processor more; an edit has two seconds.
if (!isFirst) standBack(5);

const [{ loadConfig }, { partsOf }] = await Promise.all([import("./load.ts"), import("./parts.ts")]);
const parts = partsOf(await loadConfig(file, options));

parentPort?.on("message", sendNext);
sendNext();

/** Each part is asked for: what is sent at once would be taken in at once. */
function sendNext(): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(parts.next().value);
}
