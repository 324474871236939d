import { describe, expect, it } from "vitest";
import { createLookups } from "../../src/base/lookup.ts";
import { createFakeClock } from "./fake-clock.ts";

interface Asked {
  readonly hostname: string;
  readonly answer: (...addresses: string[]) => void;
  /** @param code left out: the resolver has troubles of its own */
  readonly fail: (code?: string) => void;
}

function lookingUp(slots = 2) {
  const clock = createFakeClock();
  const asked: Asked[] = [];
  const look = createLookups({
    clock,
    slots,
    lookup: (hostname) =>
      new Promise((resolve, reject) => {
        const fail = (code = "EAI_AGAIN"): void => reject(Object.assign(new Error(hostname), { code }));
        asked.push({ hostname, answer: (...addresses) => resolve(addresses), fail });
      }),
  });
  /** What becomes of a look-up, as it comes. */
  const outcome = (hostname: string): string[] => {
    const seen: string[] = [];
    void look(hostname).then(
      (addresses) => seen.push(addresses.join()),
      (error: { code: string }) => seen.push(error.code),
    );
    return seen;
  };
  const last = (hostname: string): Asked => {
    const found = asked.findLast((each) => each.hostname === hostname);
    if (found === undefined) throw new Error(`${hostname} is not looked up`);
    return found;
  };
  return { clock, asked, outcome, last, names: () => asked.map(({ hostname }) => hostname) };
}

describe("look-ups of names", () => {
  it("run once for everybody who asks meanwhile", async () => {
    const { clock, asked, outcome, last } = lookingUp();
    const [first, second] = [outcome("a.test"), outcome("a.test")];
    last("a.test").answer("192.0.2.1", "192.0.2.2");
    await clock.advance(0);
    expect([first, second]).toEqual([["192.0.2.1,192.0.2.2"], ["192.0.2.1,192.0.2.2"]]);
    outcome("a.test");
    expect(asked).toHaveLength(2);
  });

  it("of names whose servers are silent leave room for the others", async () => {
    const { clock, outcome, last, names } = lookingUp();
    for (const name of ["dead1.test", "dead2.test"]) outcome(name);
    await clock.advance(10_000);
    last("dead1.test").fail();
    last("dead2.test").fail();
    await clock.advance(0);
    const again = ["dead1.test", "dead2.test"].map(outcome);
    const good = outcome("good.test");
    expect(names()).toEqual(["dead1.test", "dead2.test", "dead1.test", "good.test"]);
    last("good.test").answer("192.0.2.1");
    await clock.advance(0);
    expect(good).toEqual(["192.0.2.1"]);
    last("dead1.test").fail();
    await clock.advance(0);
    expect(again[0]).toEqual(["EAI_AGAIN"]);
    expect(names().at(-1)).toBe("dead2.test");
  });

  it("give what was known before while the resolver fails, but not for ever, nor where the name is gone", async () => {
    const { clock, outcome, last } = lookingUp();
    outcome("a.test");
    last("a.test").answer("192.0.2.1");
    await clock.advance(59_000);
    const failed = outcome("a.test");
    last("a.test").fail();
    await clock.advance(0);
    const gone = outcome("a.test");
    last("a.test").fail("ENOTFOUND");
    await clock.advance(2000);
    const late = outcome("a.test");
    last("a.test").fail();
    await clock.advance(0);
    expect([failed, gone, late]).toEqual([["192.0.2.1"], ["ENOTFOUND"], ["EAI_AGAIN"]]);
  });

  it("give what was known before while nothing comes, but not for ever", async () => {
    const { clock, outcome, last } = lookingUp();
    outcome("a.test");
    last("a.test").answer("192.0.2.1");
    await clock.advance(30_000);
    const soon = outcome("a.test");
    await clock.advance(100);
    expect(soon).toEqual([]);
    await clock.advance(100);
    expect(soon).toEqual(["192.0.2.1"]);
    await clock.advance(60_000);
    const late = outcome("a.test");
    await clock.advance(10_000);
    expect(late).toEqual([]);
    last("a.test").fail();
    await clock.advance(0);
    expect(late).toEqual(["EAI_AGAIN"]);
  });
});
