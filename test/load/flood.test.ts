import { describe, expect, it, onTestFinished } from "vitest";
import { createBoard } from "../../src/condition/board.ts";
import { parseReport } from "../../src/load/push.ts";
import { createFakeClock } from "../base/fake-clock.ts";
import { edge, inventoryOf } from "../probe/inventory.ts";

/** Bodies of PUT /v1/edges/ID/load that must steer nobody, whoever sends them however often. */
const POISON = [
  '{"viewers":-1}',
  '{"viewers":1e309}',
  '{"viewers":"0"}',
  '{"viewers":0,"cpu":7}',
  '{"bandwidth":-0.5}',
  '{"viewers":0,"at":4102444800000}',
  '{"viewers":0,"time":"2100-01-01T00:00:00Z"}',
  '{"__proto__":{"viewers":0}}',
  '{"viewers":null}',
  "[]",
  '{"viewers":0,"capacity":{"viewers":1e12}}',
];

const REPORTS = 100_000;

describe("a flood of reports", () => {
  it("steers nobody by what is poison, and keeps what was good until it is stale", () => {
    const clock = createFakeClock();
    const board = createBoard({ clock });
    onTestFinished(() => board.stop());
    const load = [{ type: "push", staleAfterMs: 30_000 }] as const;
    board.take(inventoryOf([edge("ams1", { load: [...load], capacity: { viewers: 100 } })]));
    board.pushReport("ams1", { viewers: 60 });
    let [rejected, wrong] = [0, 0];
    for (let i = 0; i < REPORTS; i++) {
      const report = parseReport(JSON.parse(POISON[i % POISON.length] as string));
      if ("problem" in report) rejected++;
      else board.pushReport("ams1", report);
      if (board.facts().loadRatio[0] !== 0.6) wrong++;
    }
    console.info(`fault 24: ${REPORTS} poisoned reports, ${rejected} refused, ${wrong} steered by`);
    expect({ rejected, wrong }).toEqual({ rejected: REPORTS, wrong: 0 });
  }, 60_000);

  it("grows old though it is repeated by nobody but the past", async () => {
    const clock = createFakeClock();
    const board = createBoard({ clock });
    onTestFinished(() => board.stop());
    board.take(
      inventoryOf([
        edge("ams1", { load: [{ type: "push", staleAfterMs: 1000 }], capacity: { viewers: 100 } }),
      ]),
    );
    board.pushReport("ams1", { viewers: 60 });
    await clock.advance(1000);
    expect(board.facts().loadRatio[0]).toBeNaN();
  });
});
