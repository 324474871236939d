/** Every rule's file, in the order of the tables. `optimum` is no rule: it knows the future. */
const FILES = {
  edgeward: "edgeward",
  nearest: "nearest",
  threshold: "threshold",
  mist: "mist",
  leastBandwidth: "least-bandwidth",
  mirrorbits: "mirrorbits",
};

/** Told only when asked for. */
const MORE_FILES = { twoEdgewards: "two-edgewards" };

export const USUAL_RULE_NAMES = ["edgeward", "optimum", ...Object.keys(FILES).slice(1)];
export const RULE_NAMES = [...USUAL_RULE_NAMES, ...Object.keys(MORE_FILES)];

/**
 * A rule that has seen nothing yet.
 * @param {string} name one of `RULE_NAMES` but `optimum`
 * @returns {Promise<import("./types.ts").Rule>}
 */
export async function ruleNamed(name) {
  const { create } = await import(`./rules/${{ ...FILES, ...MORE_FILES }[name]}.mjs`);
  return create();
}
