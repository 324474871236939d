import { randomBytes } from "node:crypto";
import {
  basicAuthorization,
  type DigestChallenge,
  digestAuthorization,
  digestChallengeIn,
  parseChallenges,
} from "./digest.ts";
import { valueAt } from "./document.ts";
import type { PolledLoad } from "./source.ts";

/** How a source's credentials are shown to its server; what the server asked for is kept from request to request. */
export interface Session {
  /** The value of `Authorization`; undefined where nothing is to be shown, or not yet. */
  authorization(method: string, uri: string): string | undefined;
  /** Takes what a 401 asks for; false when there is nothing that would answer it. */
  challenged(header: string | readonly string[] | undefined): boolean;
}

export interface SessionOptions {
  /** Nothing is shown before the server asks. */
  readonly waitsForChallenge: boolean;
  readonly cnonce?: () => string;
}

export function createSession(source: PolledLoad, options: SessionOptions): Session {
  const given = credentialsOf(source);
  const cnonce = options.cnonce ?? (() => randomBytes(16).toString("hex"));
  let digest: DigestChallenge | undefined;
  let count = 0;
  let showsBasic = !options.waitsForChallenge;
  return {
    authorization(method, uri) {
      if (given === undefined) return undefined;
      if (digest === undefined) return showsBasic ? basicAuthorization(...given) : undefined;
      const [username, password] = given;
      count++;
      const value = digestAuthorization(digest, {
        method,
        uri,
        username,
        password,
        cnonce: cnonce(),
        count,
      });
      return Buffer.from(value).toString("latin1");
    },
    challenged(header) {
      if (given === undefined || header === undefined) return false;
      const challenges = parseChallenges(header);
      const offered = digestChallengeIn(challenges);
      if (offered !== undefined) {
        digest = offered;
        count = 0;
        return true;
      }
      const isNew = !showsBasic && challenges.some(({ scheme }) => scheme === "basic");
      showsBasic ||= isNew;
      return isNew;
    },
  };
}

function credentialsOf(source: PolledLoad): [string, string] | undefined {
  if (!("username" in source || "password" in source)) return undefined;
  const { username, password } = source;
  return username === undefined && password === undefined ? undefined : [username ?? "", password ?? ""];
}

/** A text without any secret of its source, whatever way it came in. */
export function withoutSecrets(text: string, source: PolledLoad): string {
  return SECRETS.reduce((shown, key) => {
    const secret = valueAt(source, key);
    return typeof secret === "string" && secret.length > 2 ? shown.replaceAll(secret, "…") : shown;
  }, text);
}

const SECRETS = ["passphrase", "token", "password", "username"] as const;
