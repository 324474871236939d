import { getPriority } from "node:os";
import { expect, it } from "vitest";
import { loadLibc } from "../../src/base/libc.ts";
import { takeLongTurns, takeShortTurns } from "../../src/base/turns.ts";

const SCHED_OTHER = 0;
const SCHED_BATCH = 3;

const loaded = loadLibc();

it.runIf(loaded.kind === "loaded").each([
  ["short", 0, 100_000n, takeShortTurns],
  ["long", process.pid, 100_000_000n, takeLongTurns],
] as const)("Linux takes %s turns, and the share stays", (_, thread, turnNs, take) => {
  if (loaded.kind !== "loaded") throw new Error("no C library");
  const { libc } = loaded;
  let asked: Uint8Array | undefined;
  const results: number[] = [];
  const seen = new Set<number>();
  take(
    {
      sched_getattr(of, ...rest) {
        seen.add(of);
        return libc.sched_getattr(of, ...rest);
      },
      sched_setattr(of, attributes, flags) {
        seen.add(of);
        asked = attributes;
        results.push(libc.sched_setattr(of, attributes, flags));
        return results[0] as number;
      },
    },
    thread,
  );
  expect([...seen]).toEqual([thread]);
  expect(results).toEqual([0]);
  const { buffer } = asked as Uint8Array;
  const view = new DataView(buffer as ArrayBuffer);
  expect(view.getInt32(16, true)).toBe(getPriority());
  expect(view.getBigUint64(24, true)).toBe(turnNs);
});

it.each([
  ["has a policy of its own", SCHED_BATCH, 0],
  ["cannot be asked about", SCHED_OTHER, -1],
])("a thread that %s is left as it is", (_, policy, result) => {
  takeShortTurns({
    sched_getattr(_thread, attributes) {
      attributes[4] = policy;
      return result;
    },
    sched_setattr: () => expect.unreachable(),
  });
});
