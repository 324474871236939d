import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import { type Certificate, readCertificate } from "../base/certificate.ts";
import type { CertificateFiles } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource } from "../model/metrics.ts";

/** The certificates in use: of each pair of files the last that was good. */
export interface Certificates {
  /** For the first one, which whoever asks for an unknown name, or none, gets. */
  readonly first: () => SecureContextOptions;
  /** The context for a name: exact, then a wildcard for its first label (RFC 6125 6.4.3). `undefined`: the first. */
  readonly contextFor: (name: string) => SecureContext | undefined;
  /** Reads these files. What is not good leaves what was good in use, and is told. */
  read(files: readonly CertificateFiles[]): void;
  readonly states: () => readonly CertificateState[];
  readonly metrics: MetricSource;
}

/** Of a certificate in use. */
export interface CertificateState {
  readonly file: string;
  /** Wall clock, milliseconds since 1970. */
  readonly expiresMs: number;
  /** Whether the files still are what is in use. */
  readonly isLatest: boolean;
}

/** For every context: TLS 1.2 and up (RFC 8996). */
export const TLS_OPTIONS = { minVersion: "TLSv1.2", honorCipherOrder: true } as const;

/** @throws if one of the first is not good, with its file and why */
export function openCertificates(
  files: readonly CertificateFiles[],
  log: Log,
  wallMs: () => number,
): Certificates {
  const inUse = new Map<string, Loaded>();
  let order: Loaded[] = [];
  let contexts = new Map<string, SecureContext>();

  const readAll = (wanted: readonly CertificateFiles[], mustBeGood: boolean): void => {
    order = wanted.flatMap((pair) => {
      const key = `${pair.certificate}\0${pair.key}`;
      const result = readCertificate(pair, wallMs());
      if (result.kind === "unusable") {
        const file = pair[result.of];
        if (mustBeGood) throw new Error(`${file} ${result.reason}`);
        log.error({ file, reason: result.reason }, "a certificate is not taken; the last good one is kept");
      }
      const last = inUse.get(key);
      const loaded: Loaded | undefined =
        result.kind === "usable"
          ? { files: pair, certificate: result.certificate, isLatest: true }
          : last && { ...last, isLatest: false };
      if (loaded === undefined) return [];
      inUse.set(key, loaded);
      return [loaded];
    });
    contexts = contextsOf(order);
  };

  readAll(files, true);
  return {
    first: () => optionsOf((order[0] as Loaded).certificate),
    contextFor: (name) => contexts.get(name) ?? contexts.get(name.replace(/^[^.]*/, "*")),
    read(wanted) {
      const before = order;
      readAll(wanted, false);
      if (order.length > 0) return;
      order = before;
      contexts = contextsOf(order);
    },
    states: () =>
      order.map(({ files: { certificate: file }, certificate: { expiresMs }, isLatest }) => ({
        file,
        expiresMs,
        isLatest,
      })),
    metrics: () => [
      {
        kind: "gauge",
        name: "certificate_expiry_timestamp_seconds",
        help: "When the certificate in use expires, in seconds since 1970",
        samples: order.map((one) => ({ labels: labelsOf(one), value: one.certificate.expiresMs / 1000 })),
      },
      {
        kind: "gauge",
        name: "certificate_last_read_successful",
        help: "1 if the files of the certificate were good when they were last read; if not, the last good one is in use",
        samples: order.map((one) => ({ labels: labelsOf(one), value: one.isLatest ? 1 : 0 })),
      },
    ],
  };
}

interface Loaded {
  readonly files: CertificateFiles;
  readonly certificate: Certificate;
  /** Whether the files still are what is in use. */
  readonly isLatest: boolean;
}

function labelsOf({ files }: Loaded): { certificate: string } {
  return { certificate: files.certificate };
}

/** The earlier one has a name that several have. */
function contextsOf(all: readonly Loaded[]): Map<string, SecureContext> {
  const contexts = new Map<string, SecureContext>();
  for (const { certificate } of all) {
    const context = createSecureContext(optionsOf(certificate));
    for (const name of certificate.names) if (!contexts.has(name)) contexts.set(name, context);
  }
  return contexts;
}

function optionsOf({ chain, key }: Certificate): SecureContextOptions {
  return { ...TLS_OPTIONS, cert: chain, key };
}
