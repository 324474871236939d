import { randomFrom, randomSubnet } from "../lib/random.mjs";

/** Of 200 names, the last tenth does not exist. */
const NAME_COUNT = 200;
const EXISTING_COUNT = 180;
const SUBNET_COUNT = 100_000;
/** So many of a mix are asked, round and round. */
export const QUESTION_COUNT = 1 << 17;
const OTHERS_EVERY = 8;
/** London, as many guides to client subnets have it. */
const FIXED_SUBNET = /** @type {const} */ ([81, 2, 69]);

export const ZONE = "cdn.example.net";
export const EXISTING_NAMES = Array.from({ length: EXISTING_COUNT }, (_, index) => nameAt(index));

/** What is asked: EDNS without a client subnet, with always the same one, or 100,000 subnets and 200 names. */
export const MIXES = /** @type {const} */ (["no subnet", "one subnet", "mixture"]);
/**
 * Beyond these, one name with 100,000 subnets, and the mixture among seven times as many with the one subnet.
 * @typedef {typeof MIXES[number] | "one name" | "mostly one subnet"} Mix
 */

/**
 * @typedef {object} Question
 * @property {string} name
 * @property {boolean} exists
 * @property {readonly [number, number, number] | undefined} subnet of a /24
 */

/**
 * @param {Mix} mix
 * @param {number} count
 * @param {number} [seed]
 * @returns {Question[]}
 */
export function questions(mix, count, seed = 1) {
  const random = randomFrom(seed);
  switch (mix) {
    case "no subnet":
      return Array.from({ length: count }, () => question(0, undefined));
    case "one subnet":
      return Array.from({ length: count }, () => question(0, FIXED_SUBNET));
    case "one name": {
      const subnets = Array.from({ length: SUBNET_COUNT }, () => randomSubnet(random));
      return Array.from({ length: count }, () => question(0, subnets[random() % SUBNET_COUNT]));
    }
    case "mostly one subnet":
      return questions("mixture", count, seed).map((other, i) =>
        i % OTHERS_EVERY === 0 ? other : question(0, FIXED_SUBNET),
      );
    case "mixture": {
      const subnets = Array.from({ length: SUBNET_COUNT }, () => randomSubnet(random));
      return Array.from({ length: count }, () =>
        question(random() % NAME_COUNT, subnets[random() % SUBNET_COUNT]),
      );
    }
  }
}

/** @param {number} index */
export function nameAt(index) {
  return `s${String(index).padStart(3, "0")}.${ZONE}`;
}

/** @param {number} index @param {Question["subnet"]} subnet @returns {Question} */
function question(index, subnet) {
  return { name: nameAt(index), exists: index < EXISTING_COUNT, subnet };
}

/**
 * A query for A with EDNS of 1,232 octets, and the /24 as client subnet (RFC 7871 6) if there is one.
 * @param {Pick<Question, "name" | "subnet">} question
 * @param {number} id
 */
export function encode({ name, subnet }, id) {
  const labels = name.split(".").flatMap((label) => [label.length, ...Buffer.from(label, "latin1")]);
  const header = [id >> 8, id & 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
  const option = subnet === undefined ? [] : [0, 8, 0, 7, 0, 1, 24, 0, ...subnet];
  const opt = [0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, option.length, ...option];
  return Uint8Array.from([...header, ...labels, 0, 0, 1, 0, 1, ...opt]);
}
