import { create as createEdgeward } from "./edgeward.mjs";

/**
 * Two of the engine that know nothing of each other, as two nameservers do. Each hears every report, and of who comes
 * each question asks either.
 * @returns {import("../types.ts").Rule}
 */
export function create() {
  const both = [createEdgeward(), createEdgeward()];
  const [first] = both;
  /** @type {() => number} */
  let random;
  let asked = first;
  const either = () => {
    asked = both[random() < 0.5 ? 0 : 1];
    return asked;
  };
  return {
    ...first,
    name: "two edgewards",
    ttlMs: () => asked.ttlMs(),
    start(setting) {
      random = setting.random;
      for (const each of both) each.start(setting);
    },
    health(edge, up, nowMs) {
      for (const each of both) each.health(edge, up, nowMs);
    },
    report(edge, report, nowMs) {
      for (const each of both) each.report(edge, report, nowMs);
    },
    tick(nowMs) {
      for (const each of both) each.tick(nowMs);
    },
    choose: (question, nowMs) => either().choose(question, nowMs),
    steer: (question, playing, session, nowMs) => either().steer(question, playing, session, nowMs),
  };
}
