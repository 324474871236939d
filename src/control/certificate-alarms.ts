import { basename } from "node:path";
import type { CertificateState } from "../http/certificates.ts";

const HOUR_MS = 3_600_000;
/** Whoever renews certificates, of however short a life, has done so before. */
const SOON_MS = 48 * HOUR_MS;

/**
 * One line for each certificate of the viewers' door that ends soon, has ended, or whose files are not what is in
 * use. Files by their names alone, since everyone may ask for alarms.
 */
export function certificateTexts(states: readonly CertificateState[], nowMs: number): string[] {
  return states.flatMap(({ file, expiresMs, isLatest }) => {
    const certificate = `certificate ${basename(file)}`;
    const refused = isLatest
      ? []
      : [
          `${certificate}: its files are not taken as they are now, the last good ones are in use: the log says why`,
        ];
    return [...ended(certificate, expiresMs - nowMs), ...refused];
  });
}

function ended(certificate: string, leftMs: number): string[] {
  if (leftMs <= 0) return [`${certificate} has expired: viewers cannot connect by HTTPS`];
  return leftMs < SOON_MS ? [`${certificate} expires in ${Math.ceil(leftMs / HOUR_MS)} h`] : [];
}
