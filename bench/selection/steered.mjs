import { drawOf } from "./random.mjs";

/** Apart from what other draws of viewers are keyed by. */
const DRAWS = 0x5eed;

/**
 * Viewers whose players ask again and again where to play from, and move there while they play. They ask first a second
 * after they have come. Who loses his edge goes on at the next one that he was told of.
 * @param {import("./types.ts").Scenario} scenario
 * @param {import("./types.ts").Rule} rule
 * @param {number} seed
 */
export function createSteered({ steering }, rule, seed) {
  /** @type {Map<number, {edges: readonly number[], session: string}>} what each was told last */
  const told = new Map();
  /** @type {Map<number, number[]>} second → viewers */
  const asking = new Map();
  const isOn = "steer" in rule && steering.share > 0;

  /** @param {number} viewer @param {number} secondMs */
  const askAt = (viewer, secondMs) => {
    const others = asking.get(secondMs);
    if (others) others.push(viewer);
    else asking.set(secondMs, [viewer]);
  };

  return {
    /** @param {number} viewer @param {number} nowMs */
    begin(viewer, nowMs) {
      if (!isOn || drawOf(seed ^ DRAWS, viewer) >= steering.share) return;
      told.set(viewer, { edges: [], session: "" });
      askAt(viewer, Math.floor(nowMs / 1000) * 1000 + 1000);
    },
    /** @param {number} viewer */
    end: (viewer) => void told.delete(viewer),
    /** Who asks in this second and has not left. @param {number} secondMs @returns {readonly number[]} */
    by(secondMs) {
      const due = asking.get(secondMs) ?? [];
      asking.delete(secondMs);
      return due.filter((viewer) => told.has(viewer));
    },
    /**
     * @param {number} viewer
     * @param {import("./types.ts").Question} question
     * @param {number} playing
     * @param {number} nowMs
     * @returns {number} the edge to play from
     */
    ask(viewer, question, playing, nowMs) {
      const session = told.get(viewer)?.session ?? "";
      const answer = rule.steer?.(question, playing, session, nowMs);
      if (answer === undefined) return playing;
      const { edges, ttlMs } = answer;
      told.set(viewer, { edges, session: answer.session });
      askAt(viewer, nowMs + Math.ceil(ttlMs / 1000) * 1000);
      return edges[0];
    },
    /** Nobody has an edge to be told of. @param {number} viewer @param {number} nowMs */
    waits: (viewer, nowMs) => askAt(viewer, nowMs + 1000),
    /**
     * Where his player goes by itself when its edge is lost; -1: it must ask.
     * @param {number} viewer
     * @param {(edge: number) => boolean} isUp
     */
    nextOf: (viewer, isUp) => told.get(viewer)?.edges.find(isUp) ?? -1,
  };
}
