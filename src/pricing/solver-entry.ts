import { parentPort, workerData } from "node:worker_threads";
import { standBack } from "../base/stand-back.ts";
import { createLookAhead } from "./look-ahead.ts";
import { type SolverField, type SolverNews, type SolverOrder, unpackLook } from "./solver-thread.ts";

standBack(10);

const lookAhead = createLookAhead();
take(workerData as SolverField);

parentPort?.on("message", (order: SolverOrder) => {
  switch (order.kind) {
    case "take":
      return take(order.field);
    case "solve": {
      const outcomes = order.outcomes.map((looks) => looks.map(unpackLook));
      const news: SolverNews = { id: order.id, priceKm: lookAhead.solve(outcomes, order.isSudden) };
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      return parentPort?.postMessage(news);
    }
    case "stop":
      return process.exit();
  }
});

function take({ places, pools, from }: SolverField): void {
  lookAhead.take(places, pools, from);
}
