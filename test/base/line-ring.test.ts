import fc from "fast-check";
import { expect, it } from "vitest";
import { droppedLines, newLineRing, putLine, takeLines } from "../../src/base/line-ring.ts";

const line = (text: string): Buffer => Buffer.from(`${text}\n`);

it("gives lines back as they were put, however they wrap, and counts what found no room", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constant("take"), fc.string({ maxLength: 40 }))), (steps) => {
      const ring = newLineRing(64);
      const expected: Buffer[] = [];
      let used = 0;
      let dropped = 0;
      for (const step of steps) {
        if (step === "take") {
          expect(takeLines(ring)).toEqual(Buffer.concat(expected.splice(0)));
          used = 0;
          continue;
        }
        const put = line(step);
        putLine(ring, put);
        if (used + put.length > 64) dropped++;
        else {
          expected.push(put);
          used += put.length;
        }
      }
      expect(takeLines(ring)).toEqual(Buffer.concat(expected));
      expect(droppedLines(ring)).toBe(dropped);
    }),
  );
});

it("goes on when its counts pass 2^31", () => {
  const ring = newLineRing(64);
  ring.control.fill(0x7fff_fff0, 0, 2);
  for (let i = 0; i < 100; i++) {
    putLine(ring, line(`line ${i}`));
    expect(takeLines(ring).toString()).toBe(`line ${i}\n`);
  }
  expect(droppedLines(ring)).toBe(0);
});
