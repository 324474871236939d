import { getPriority } from "node:os";
import { expect, it } from "vitest";
import { goFirst } from "../../src/base/go-first.ts";
import { loadLibc } from "../../src/base/libc.ts";

const SCHED_OTHER = 0;
const SCHED_BATCH = 3;

const loaded = loadLibc();

it.runIf(loaded.kind === "loaded")(
  "Linux takes what a thread that goes first asks for, and its share stays",
  () => {
    if (loaded.kind !== "loaded") throw new Error("no C library");
    const { libc } = loaded;
    let asked: Uint8Array | undefined;
    const results: number[] = [];
    goFirst({
      ...libc,
      sched_setattr(thread, attributes, flags) {
        asked = attributes;
        results.push(libc.sched_setattr(thread, attributes, flags));
        return results[0] as number;
      },
    });
    expect(results).toEqual([0]);
    const { buffer } = asked as Uint8Array;
    const view = new DataView(buffer as ArrayBuffer);
    expect(view.getInt32(16, true)).toBe(getPriority());
    expect(view.getBigUint64(24, true)).toBe(100_000n);
  },
);

it.each([
  ["has a policy of its own", SCHED_BATCH, 0],
  ["cannot be asked about", SCHED_OTHER, -1],
])("a thread that %s is left as it is", (_, policy, result) => {
  goFirst({
    sched_getattr(_thread, attributes) {
      attributes[4] = policy;
      return result;
    },
    sched_setattr: () => expect.unreachable(),
  });
});
