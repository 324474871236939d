import { parentPort, workerData } from "node:worker_threads";
import { standBack } from "../base/stand-back.ts";
import type { Mmdb } from "./mmdb.ts";
import { surveyRegions } from "./regions.ts";

standBack(19);

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(surveyRegions(workerData as Mmdb));
