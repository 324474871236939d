import type { ChallengeValues } from "../model/acme.ts";
import { withChallenges } from "./challenges.ts";
import type { Namespace } from "./namespace.ts";

/** The names of a door: as configured, and what is laid over them for a while. */
export interface Names {
  current(): Namespace;
  take(configured: Namespace): Namespace;
  /** Values for certificate authorities, instead of those so far; they stay over `take`. */
  challenge(values: ChallengeValues): Namespace;
}

export function createNames(configured: Namespace, values: ChallengeValues = new Map()): Names {
  let base = configured;
  let challenges = values;
  let current = withChallenges(base, challenges);
  const renew = (): Namespace => (current = withChallenges(base, challenges));
  return {
    current: () => current,
    take(next) {
      base = next;
      return renew();
    },
    challenge(next) {
      challenges = next;
      return renew();
    },
  };
}
