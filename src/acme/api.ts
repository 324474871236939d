import { MAX_NAME_LENGTH } from "../base/domain-name.ts";
import type { AcmeAccount, ChallengeView } from "../model/acme.ts";
import { identify, type ShownCredentials } from "./accounts.ts";
import { CHALLENGE_LABEL, type Challenges } from "./challenges.ts";

/** As the operators' door asks for it. */
export interface AcmeApi {
  challenges(): ChallengeView[];
  /** @param hostname a service's, with or without a wildcard's `*.` */
  set(hostname: string, value: string, by: string, lastsMs: number): ChallengeVerdict;
  remove(hostname: string, value?: string): ChallengeVerdict;
  update(credentials: ShownCredentials, subdomain: string, value: string): UpdateVerdict;
}

type ChallengeVerdict =
  | { readonly kind: "done"; readonly challenges: readonly ChallengeView[]; readonly removed: number }
  | { readonly kind: "unknown-hostname" }
  | Refused;

type UpdateVerdict =
  | { readonly kind: "set"; readonly hostname: string; readonly by: string }
  | { readonly kind: "unauthorized" }
  | Refused;

interface Refused {
  readonly kind: "refused";
  /** What is wrong with it, and what would be right. */
  readonly detail: string;
}

/** How long an update lasts: its clients do not clean up. */
const UPDATE_LASTS_MS = 3_600_000;

/** @param isServed whether a hostname, or the wildcard over it, is a service's */
export function createAcmeApi(
  store: Challenges,
  accounts: () => readonly AcmeAccount[],
  isServed: (hostname: string) => boolean,
): AcmeApi {
  const about = (hostname: string): ChallengeView[] =>
    store.list().filter((challenge) => challenge.hostname === hostname);
  return {
    challenges: () => store.list(),
    set(given, value, by, lastsMs) {
      const hostname = baseOf(given);
      if (!isServed(hostname)) return { kind: "unknown-hostname" };
      if (!isProvable(hostname)) return { kind: "refused", detail: WHAT_A_HOSTNAME_IS };
      if (!isText(value)) return { kind: "refused", detail: WHAT_A_VALUE_IS };
      return store.add(hostname, value, { by, lastsMs }) === "set"
        ? { kind: "done", challenges: about(hostname), removed: 0 }
        : { kind: "refused", detail: "there are as many values as a name may have; remove some" };
    },
    remove(given, value) {
      const hostname = baseOf(given);
      if (!isServed(hostname)) return { kind: "unknown-hostname" };
      const removed = store.remove(hostname, value);
      return { kind: "done", challenges: about(hostname), removed };
    },
    update(credentials, subdomain, value) {
      const account = identify(accounts(), credentials);
      if (account === undefined || account.subdomain !== subdomain) return { kind: "unauthorized" };
      if (!DIGEST.test(value)) return { kind: "refused", detail: WHAT_A_DIGEST_IS };
      const { hostname, username: by } = account;
      if (!isProvable(hostname)) return { kind: "refused", detail: WHAT_A_HOSTNAME_IS };
      store.replaceOldest(hostname, value, { by, lastsMs: UPDATE_LASTS_MS });
      return { kind: "set", hostname, by };
    },
  };
}

/** A wildcard is proved where its base name is (RFC 8555 7.1.3). */
function baseOf(hostname: string): string {
  return hostname.toLowerCase().replace(/\.$/, "").replace(/^\*\./, "");
}

/** Whether there can be such a name at all (RFC 1035 2.3.4): under a wildcard, anything is a service's. */
function isProvable(hostname: string): boolean {
  return `${CHALLENGE_LABEL}.${hostname}`.length <= MAX_NAME_LENGTH && HOSTNAME.test(hostname);
}
const HOSTNAME = /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/;
const WHAT_A_HOSTNAME_IS = `the hostname must be one, and at most ${MAX_NAME_LENGTH} characters long with ${CHALLENGE_LABEL}. in front`;

/** A base64url SHA-256 (RFC 8555 8.4). */
const DIGEST = /^[A-Za-z0-9_-]{43}$/;
const WHAT_A_DIGEST_IS =
  "txt must be the 43 characters of a digest, as the certificate authority asks for it";
const WHAT_A_VALUE_IS = "a value has 1 to 255 printable characters of ASCII";

function isText(value: string): boolean {
  return /^[!-~]{1,255}$/.test(value);
}
