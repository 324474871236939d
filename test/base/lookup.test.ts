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
  const byDns: string[] = [];
  const look = createLookups({
    clock,
    slots,
    ask: async (hostname) => {
      byDns.push(hostname);
      if (!hostname.startsWith("in-dns")) throw new Error(hostname);
      return ["192.0.2.53"];
    },
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
  return { clock, asked, byDns, outcome, last, names: () => asked.map(({ hostname }) => hostname) };
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

  it("ask DNS itself for who waits a second, as after a start, when it is not known which names are slow", async () => {
    const { clock, asked, byDns, outcome, last, names } = lookingUp();
    for (const name of ["dead1.test", "dead2.test", "dead3.test"]) outcome(name);
    const inDns = outcome("in-dns.test");
    const inFile = outcome("in-file.test");
    await clock.advance(999);
    expect([inDns, byDns]).toEqual([[], []]);
    await clock.advance(1);
    expect(byDns).toEqual(["dead3.test", "in-dns.test", "in-file.test"]);
    expect([inDns, inFile]).toEqual([["192.0.2.53"], []]);
    last("dead1.test").fail();
    last("dead2.test").fail();
    await clock.advance(0);
    expect(names()).toEqual(["dead1.test", "dead2.test", "dead3.test", "in-file.test"]);
    last("in-file.test").answer("192.0.2.1");
    await clock.advance(0);
    expect(inFile).toEqual(["192.0.2.1"]);
    outcome("in-dns.test");
    expect(asked.at(-1)?.hostname).toBe("in-dns.test");
  });

  it("are not asked for twice where their turn comes within a second", async () => {
    const { clock, byDns, outcome, last } = lookingUp();
    for (const name of ["a.test", "b.test", "in-dns.test"]) outcome(name);
    last("a.test").answer("192.0.2.1");
    await clock.advance(2000);
    expect(byDns).toEqual([]);
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
