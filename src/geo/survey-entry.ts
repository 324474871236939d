import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import type { Mmdb } from "./mmdb.ts";
import { surveyRegions } from "./regions.ts";

// Whatever else the program does goes first. Linux takes this for the calling thread alone.
if (process.platform === "linux") setPriority(19);

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(surveyRegions(workerData as Mmdb));
