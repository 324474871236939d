import { createHash, timingSafeEqual } from "node:crypto";
import type { AcmeAccount } from "../model/acme.ts";

/** What an acme-dns client shows. */
export interface ShownCredentials {
  readonly username: string;
  readonly key: string;
}

/** The account, if both are right. Takes the same time whichever account matches, or none. */
export function identify(
  accounts: readonly AcmeAccount[],
  { username, key }: ShownCredentials,
): AcmeAccount | undefined {
  const presented = createHash("sha256").update(key).digest();
  let found: AcmeAccount | undefined;
  for (const account of accounts) {
    const isKey = timingSafeEqual(Buffer.from(account.sha256, "hex"), presented);
    if (isKey && account.username === username) found ??= account;
  }
  return found;
}
