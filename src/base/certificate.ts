import { createPrivateKey, X509Certificate } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { CertificateFiles } from "../model/inventory.ts";

/** A certificate that can be served. */
export interface Certificate {
  /** PEM: the certificate, then those that it was issued by. */
  readonly chain: Buffer;
  /** PEM. */
  readonly key: Buffer;
  /** Lower-case DNS names of the subject (RFC 6125), some with `*.` in front. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly expiresMs: number;
}

export type ReadCertificate =
  | { readonly kind: "usable"; readonly certificate: Certificate }
  /** Without the names of the files. */
  | { readonly kind: "unusable"; readonly of: "certificate" | "key"; readonly reason: string };

/** @param nowMs wall clock, milliseconds since 1970 */
export function readCertificate(files: CertificateFiles, nowMs: number): ReadCertificate {
  const chain = read(files.certificate);
  if (typeof chain === "string") return unusable("certificate", chain);
  const key = read(files.key);
  if (typeof key === "string") return unusable("key", key);
  const leaf = tried(() => new X509Certificate(chain));
  if (leaf === undefined) return unusable("certificate", "is not a certificate in PEM");
  const privateKey = tried(() => createPrivateKey(key));
  if (privateKey === undefined) return unusable("key", "is not a private key in PEM without a passphrase");
  if (!leaf.checkPrivateKey(privateKey)) return unusable("key", "is not the key of the certificate");
  const expiresMs = Date.parse(leaf.validTo);
  if (expiresMs <= nowMs) return unusable("certificate", `has expired on ${day(expiresMs)}`);
  const startsMs = Date.parse(leaf.validFrom);
  if (startsMs > nowMs) return unusable("certificate", `is not valid before ${day(startsMs)}`);
  const names = namesOf(leaf);
  if (names.length === 0) return unusable("certificate", "names no host (subjectAltName)");
  if (tried(() => createSecureContext({ cert: chain, key })) === undefined)
    return unusable("certificate", "is not accepted by OpenSSL");
  return { kind: "usable", certificate: { chain, key, names, expiresMs } };
}

function unusable(of: "certificate" | "key", reason: string): ReadCertificate {
  return { kind: "unusable", of, reason };
}

const OCTETS_MAX = 2 ** 20;

/** The file, or why it is not read. */
function read(file: string): Buffer | string {
  try {
    // Who opens a named pipe waits for somebody to write to it.
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const found = fstatSync(fd);
      if (!found.isFile()) return "is not a file";
      return found.size > OCTETS_MAX ? `is larger than ${OCTETS_MAX} octets` : readFileSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    return `cannot be read (${(error as NodeJS.ErrnoException).code})`;
  }
}

function tried<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}

function namesOf({ subjectAltName = "" }: X509Certificate): string[] {
  return [...subjectAltName.matchAll(/DNS:([^,\s"]+)/g)].map(([, name = ""]) => name.toLowerCase());
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
