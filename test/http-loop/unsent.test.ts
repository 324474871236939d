import { describe, expect, it } from "vitest";
import { ERRNO } from "../../src/base/libc.ts";
import type { Connection } from "../../src/http-loop/connections.ts";
import { createUnsent, NOTHING } from "../../src/http-loop/unsent.ts";

const connection = (fd: number): Connection => ({
  fd,
  peer: { family: 4, bytes: new Uint8Array(4) },
  preface: undefined,
  proxied: undefined,
  requests: 1,
  mayHaveMore: false,
  begun: NOTHING,
  unsent: NOTHING,
  sinceMs: 0,
});

/** A client that takes so many octets at each call, or refuses them with an error. */
const takes = (...results: (number | { readonly errno: number })[]) => {
  let errno = 0;
  return {
    send() {
      const result = results.shift() ?? 0;
      if (typeof result === "number") return result;
      errno = result.errno;
      return -1;
    },
    errno: () => errno,
  };
};

describe("answers that clients do not take", () => {
  it("are held up to a bound over all connections, which those that are sent or gone leave room in", () => {
    const unsent = createUnsent(takes(60, 40), 250);
    const [a, b, c] = [connection(1), connection(2), connection(3)];
    expect([a, b, c].map((one) => unsent.hold(one, new Uint8Array(100)))).toEqual([true, true, false]);
    expect([unsent.send(a), a.unsent.length, unsent.hold(c, new Uint8Array(100))]).toEqual([
      "some",
      40,
      true,
    ]);
    expect(unsent.release(b)).toHaveLength(100);
    expect([unsent.send(a), a.unsent.length]).toEqual(["all", 0]);
    expect([unsent.hold(b, new Uint8Array(151)), unsent.hold(b, new Uint8Array(150))]).toEqual([false, true]);
  });

  it("stay as they are while the client takes none, and are of no use once it is gone", () => {
    const unsent = createUnsent(takes({ errno: ERRNO.EAGAIN }, { errno: 32 }), 250);
    const one = connection(1);
    unsent.hold(one, new Uint8Array(100));
    expect([unsent.send(one), one.unsent.length]).toEqual(["none", 100]);
    expect(unsent.send(one)).toBe("gone");
  });
});
