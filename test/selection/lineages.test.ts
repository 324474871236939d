import { expect, it } from "vitest";
import { createLineages } from "../../src/selection/lineages.ts";
import { ownerOf } from "../../src/selection/rows.ts";

it("a service keeps its number over states, and each state has a stamp of its own", () => {
  const lineages = createLineages(() => expect.unreachable());
  const [live, vod] = [lineages.of("live"), lineages.of("vod")];
  const first = live.stampIn(5);
  expect(live.stampIn(5)).toBe(first);
  const second = live.stampIn(6);
  expect(second).not.toBe(first);
  expect(ownerOf(second)).toBe(ownerOf(first));
  expect(lineages.of("live").stampIn(6), "asked for anew").toBe(second);
  expect(ownerOf(vod.stampIn(5))).not.toBe(ownerOf(first));
});

it("a service that went and came back has nothing of its old self", () => {
  const lineages = createLineages(() => expect.unreachable());
  const before = lineages.of("live").stampIn(1);
  const other = lineages.of("vod").stampIn(1);
  lineages.keepOnly(new Set(["vod"]));
  expect(ownerOf(lineages.of("live").stampIn(1))).not.toBe(ownerOf(before));
  expect(lineages.of("vod").stampIn(1)).toBe(other);
});

it("no stamp comes twice, however many states there are, without a word before", () => {
  let exhausted = 0;
  const lineages = createLineages(() => exhausted++);
  const lineage = lineages.of("live");
  const seen = new Set<number>();
  for (let epoch = 1; epoch <= 200_000; epoch++) seen.add(lineage.stampIn(epoch));
  expect(seen.size).toBe(200_000);
  expect(exhausted).toBe(0);
  const owner = ownerOf(lineage.stampIn(1));
  for (let i = 0; i < 70_000; i++) lineages.of(`other${i}`).stampIn(1);
  expect(exhausted).toBe(1);
  expect(ownerOf(lineage.stampIn(1))).not.toBe(owner);
});
