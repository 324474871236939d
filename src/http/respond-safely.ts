import type { Log } from "../model/log.ts";
import { problem, RETRY_LATER } from "./answer.ts";
import type { Responder, Response } from "./respond.ts";

/** As `respond`. A fault of ours is logged, at most once in a second; it is not the viewer's, who may come back. */
export function respondSafely(respond: Responder["respond"], log: Pick<Log, "error">): Responder["respond"] {
  let lastMs = Number.NEGATIVE_INFINITY;
  const report = (error: unknown): void => {
    const nowMs = performance.now();
    if (nowMs - lastMs < 1000) return;
    lastMs = nowMs;
    log.error({ err: error }, "an answer failed");
  };
  return (request): Response => {
    try {
      return respond(request);
    } catch (error) {
      report(error);
      const answer = problem(503, "no decision could be made", false, RETRY_LATER);
      return { serviceId: "-", answer };
    }
  };
}
