import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MessageReader } from "../../src/dns/framing.ts";

function framesOf(messages: readonly Uint8Array[]): Buffer {
  return Buffer.concat(messages.flatMap((one) => [Uint8Array.of(one.length >> 8, one.length & 0xff), one]));
}

describe("messages in a TCP stream", () => {
  it("come out as they went in, however the stream is chopped", () => {
    const message = fc.uint8Array({ maxLength: 2000 });
    const sizes = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), sizes, (messages, sizes) => {
        const stream = framesOf(messages);
        const reader = new MessageReader();
        const seen: Buffer[] = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const size = sizes[i % sizes.length] ?? 1;
          reader.push(stream.subarray(at, at + size));
          at += size;
          for (let next = reader.next(); next !== undefined; next = reader.next())
            seen.push(Buffer.from(next));
        }
        expect(seen).toEqual(messages.map((one) => Buffer.from(one)));
        expect(reader.next()).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });

  it("are held until they are whole", () => {
    const reader = new MessageReader();
    reader.push(Uint8Array.of(0));
    expect(reader.next()).toBeUndefined();
    reader.push(Uint8Array.of(2, 7));
    expect(reader.next()).toBeUndefined();
    reader.push(Uint8Array.of(8));
    expect(reader.next()).toEqual(Uint8Array.of(7, 8));
  });
});
