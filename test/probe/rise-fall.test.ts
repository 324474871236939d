import { expect, it } from "vitest";
import { isInDoubt, judge, NOT_PROBED, together, type Verdict } from "../../src/probe/rise-fall.ts";

const TIMING = { rise: 3, fall: 2 };

/** `+` success, `-` failure; the health after each. */
function healths(results: string, start: Verdict = NOT_PROBED): string {
  let verdict = start;
  return Array.from(results)
    .map((result) => {
      verdict = judge(verdict, result === "+" ? undefined : "timeout", TIMING);
      return verdict.health === "up" ? "U" : "D";
    })
    .join("");
}

it("lets the first result decide, then asks for so many in a row", () => {
  expect(healths("+")).toBe("U");
  expect(healths("-")).toBe("D");
  expect(healths("+--")).toBe("UUD");
  expect(healths("-+++")).toBe("DDDU");
});

it("starts counting anew whenever a result agrees", () => {
  expect(healths("+-+-+-")).toBe("UUUUUU");
  expect(healths("-++-++-")).toBe("DDDDDDD");
});

it("keeps the reason of a failure until successes have outweighed it", () => {
  const down = judge(NOT_PROBED, "refused", TIMING);
  expect(down).toEqual({ health: "down", against: 0, reason: "refused" });
  const once = judge(down, undefined, TIMING);
  expect(once).toEqual({ health: "down", against: 1, reason: "refused" });
  const up = judge(judge(once, undefined, TIMING), undefined, TIMING);
  expect(up).toEqual({ health: "up", against: 0 });
  const shaken = judge(up, "timeout", TIMING);
  expect(shaken).toEqual({ health: "up", against: 1, reason: "timeout" });
  expect(judge(shaken, undefined, TIMING)).toEqual({ health: "up", against: 0 });
});

it("calls a family up while any address is, and down only when all are", () => {
  const of = (...healths: Verdict["health"][]) =>
    together(healths.map((health) => ({ health, against: 0 }))).health;
  expect(of("down", "up", "unknown")).toBe("up");
  expect(of("down", "unknown")).toBe("unknown");
  expect(of("down", "down")).toBe("down");
  expect(of()).toBe("unknown");
});

it("is in doubt while the results that speak against it are not yet enough", () => {
  const up = judge(NOT_PROBED, undefined, TIMING);
  const shaken = judge(up, "timeout", TIMING);
  const down = judge(shaken, "timeout", TIMING);
  const rising = judge(down, undefined, TIMING);
  expect([[], [NOT_PROBED], [up], [down], [shaken], [rising]].map(isInDoubt)).toEqual([
    false,
    false,
    false,
    false,
    true,
    true,
  ]);
  // One address that is well keeps the family up; one that rises brings it up.
  expect(isInDoubt([up, shaken])).toBe(false);
  expect(isInDoubt([down, rising])).toBe(true);
  expect(isInDoubt([up, rising])).toBe(false);
});

it("keeps what is known of the last failure, with its reason, until successes have outweighed it", () => {
  const down = judge(NOT_PROBED, "status", TIMING, "404");
  expect(down).toMatchObject({ health: "down", reason: "status", detail: "404" });
  const otherwise = judge(down, "timeout", TIMING);
  expect(otherwise.reason).toBe("timeout");
  expect(otherwise).not.toHaveProperty("detail");
  const again = judge(otherwise, "status", TIMING, "502");
  const rising = judge(again, undefined, TIMING);
  expect(rising).toMatchObject({ health: "down", reason: "status", detail: "502" });
  let risen = rising;
  for (let i = 0; i < TIMING.rise; i++) risen = judge(risen, undefined, TIMING);
  expect(risen).toEqual({ health: "up", against: 0 });
});
