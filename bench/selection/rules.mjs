/** Every rule's file, in the order of the tables. `optimum` is no rule: it knows the future. */
const FILES = {
  edgeward: "edgeward",
  nearest: "nearest",
  threshold: "threshold",
  mist: "mist",
  leastBandwidth: "least-bandwidth",
  mirrorbits: "mirrorbits",
  twoEdgewards: "two-edgewards",
};

export const RULE_NAMES = ["edgeward", "optimum", ...Object.keys(FILES).slice(1)];
/** The others are told only when asked for. */
export const USUAL_RULE_NAMES = RULE_NAMES.filter((name) => name !== "twoEdgewards");

/**
 * A rule that has seen nothing yet.
 * @param {string} name one of `RULE_NAMES` but `optimum`
 * @returns {Promise<import("./types.ts").Rule>}
 */
export async function ruleNamed(name) {
  const { create } = await import(`./rules/${FILES[name]}.mjs`);
  return create();
}
