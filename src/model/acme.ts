/** Proofs for certificate authorities: TXT values at `_acme-challenge.HOSTNAME` (RFC 8555 8.4). */

/** Whose client may set values by acme-dns' way of asking. */
export interface AcmeAccount {
  /** X-Api-User. */
  readonly username: string;
  /** SHA-256 of X-Api-Key, lower-case hexadecimal. */
  readonly sha256: string;
  /** What its client calls the name it updates. */
  readonly subdomain: string;
  /** The hostname that it may prove, without a wildcard's `*.`. */
  readonly hostname: string;
}

/** Values by hostname, newest first, as the DNS answers them now. */
export type ChallengeValues = ReadonlyMap<string, readonly string[]>;

/** The values of one hostname, as operators see them. */
export interface ChallengeView {
  readonly hostname: string;
  /** Where the DNS answers them. */
  readonly name: string;
  readonly values: readonly ChallengeValueView[];
}

export interface ChallengeValueView {
  readonly value: string;
  /** Name of the token or account that set it. */
  readonly by: string;
  /** Wall clock, milliseconds since 1970: when it goes. */
  readonly untilMs: number;
}
