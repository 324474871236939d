import { expect, it } from "vitest";
import { createStreamNews } from "../../src/control/stream-news.ts";
import { createFakeClock } from "../base/fake-clock.ts";

it("tells in one line what changes within a second, and of many only the first", async () => {
  const lines: unknown[] = [];
  const tell = (fields: object, message: string): void => void lines.push([fields, message]);
  const clock = createFakeClock();
  const news = createStreamNews({ info: tell, warn: tell }, clock);
  for (let i = 0; i < 500; i++) news.changed(i % 2 === 0 ? "ams1" : "sin1", `live/${i}`, true);
  news.changed("nyc1", "live/0", false);
  await clock.advance(1000);
  expect(lines).toEqual([
    [
      {
        edgeCount: 2,
        streamCount: 500,
        edges: ["ams1", "sin1"],
        streams: Array.from({ length: 10 }, (_, i) => `live/${i}`),
      },
      "streams stand still at edges",
    ],
    [
      { edgeCount: 1, streamCount: 1, edges: ["nyc1"], streams: ["live/0"] },
      "streams stand still no longer, or are not checked any more",
    ],
  ]);
  await clock.advance(60_000);
  expect(lines).toHaveLength(2);
  news.changed("ams1", "live/0", true);
  await clock.advance(1000);
  expect(lines).toHaveLength(3);
});
