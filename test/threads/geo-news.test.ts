import { expect, it, vi } from "vitest";
import type { GeoSnapshot } from "../../src/geo/locator.ts";
import { createGeoNews } from "../../src/threads/geo-news.ts";

function setUp() {
  const listeners: (() => void)[] = [];
  const snapshot = { places: [] } as unknown as GeoSnapshot;
  const onUntaken = vi.fn<() => void>();
  const stop = vi.fn<() => void>();
  const onChange = (listener: () => void) => {
    listeners.push(listener);
    return stop;
  };
  const news = createGeoNews({ snapshot: () => snapshot, onChange }, onUntaken);
  return { news, snapshot, onUntaken, stop, change: () => listeners.forEach((tell) => tell()) };
}

it("goes out once, with what else is told in the turn in which it came", async () => {
  const { news, snapshot, onUntaken, change } = setUp();
  expect(news.take()).toEqual({});
  change();
  change();
  expect(news.take().geo).toBe(snapshot);
  expect(news.take()).toEqual({});
  await Promise.resolve();
  expect(onUntaken).not.toHaveBeenCalled();
});

it("goes out by itself where nothing else is told", async () => {
  const { news, snapshot, onUntaken, change } = setUp();
  const taken: unknown[] = [];
  onUntaken.mockImplementation(() => void taken.push(news.take().geo));
  change();
  change();
  expect(onUntaken).not.toHaveBeenCalled();
  await Promise.resolve();
  await Promise.resolve();
  expect(taken).toEqual([snapshot]);
});

it("is looked for until it is stopped", () => {
  const { news, stop } = setUp();
  expect(stop).not.toHaveBeenCalled();
  news.stop();
  expect(stop).toHaveBeenCalledOnce();
});
