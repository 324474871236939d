import { describe, expect, it } from "vitest";
import { advance, type Counters, type Moment, rateOf } from "../../src/load/counters.ts";

const moment = (receivedAtMs: number, other: Partial<Moment> = {}): Moment => ({ receivedAtMs, ...other });

/** Where counters stand after a row of readings. */
function after(...steps: readonly (readonly [{ readonly [name: string]: number }, Moment])[]): Counters {
  const last = steps.reduce<Counters | undefined>(
    (before, [values, when]) => advance(before, values, when),
    undefined,
  );
  if (last === undefined) throw new Error("no step");
  return last;
}

describe("a counter", () => {
  it("has no rate at first, and one from the second reading on", () => {
    expect(rateOf(after([{ a: 100 }, moment(0)]))).toBeUndefined();
    expect(rateOf(after([{ a: 100 }, moment(0)], [{ a: 600 }, moment(5000)]))).toBe(100);
    expect(rateOf(after([{ a: 100 }, moment(0)], [{ a: 100 }, moment(5000)]))).toBe(0);
  });

  it("that fell began anew: unknown, not negative", () => {
    const fell = after([{ a: 100 }, moment(0)], [{ a: 600 }, moment(1000)], [{ a: 50 }, moment(2000)]);
    expect([rateOf(fell), fell.gap]).toEqual([undefined, "restart"]);
    expect(rateOf(advance(fell, { a: 150 }, moment(3000)))).toBe(100);
  });

  it("of another life began anew though it rose", () => {
    const step = (life: string) => [{ a: life === "1" ? 1 : 9 }, moment(0, { life })] as const;
    expect(after(step("1"), step("2")).gap).toBe("restart");
  });

  it("of a shorter uptime began anew though it rose", () => {
    const rose = after([{ a: 1 }, moment(0, { uptime: 500 })], [{ a: 9 }, moment(5000, { uptime: 2 })]);
    expect(rose.gap).toBe("restart");
  });

  it("goes by the server's clock where there is one", () => {
    const [one, two] = [moment(0, { clockMs: 1e12 }), moment(6000, { clockMs: 1e12 + 5000 })];
    expect(rateOf(after([{ a: 0 }, one], [{ a: 500 }, two]))).toBe(100);
  });

  it("keeps its rate while the server has not looked again, for half a minute", () => {
    const at = (receivedAtMs: number, clockMs: number) => moment(receivedAtMs, { clockMs });
    const known = after([{ a: 0 }, at(0, 1000)], [{ a: 500 }, at(5000, 6000)]);
    const same = advance(known, { a: 500 }, at(10_000, 6000));
    expect(rateOf(same)).toBe(100);
    expect(advance(same, { a: 500 }, at(36_000, 6000)).gap).toBe("frozen");
  });

  it.each([
    ["forward", 3_600_000],
    ["back", -3_600_000],
    ["back a little", -10],
  ])("has no rate when the server's clock jumps %s", (_, by) => {
    const jumped = after(
      [{ a: 0 }, moment(0, { clockMs: 1e12 })],
      [{ a: 9 }, moment(5000, { clockMs: 1e12 + by })],
    );
    expect([rateOf(jumped), jumped.gap]).toEqual([undefined, "clock"]);
  });
});

describe("counters together", () => {
  it("are added up only while each has a rate", () => {
    const more = after([{ a: 0 }, moment(0)], [{ a: 10, b: 1e12 }, moment(1000)]);
    expect(rateOf(more)).toBeUndefined();
    expect(rateOf(more, ["a"])).toBe(10);
    expect(rateOf(advance(more, { a: 20, b: 1e12 + 5 }, moment(2000)))).toBe(15);
    expect(rateOf(advance(more, { a: 20 }, moment(2000)))).toBe(10);
  });
});
