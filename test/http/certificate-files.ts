import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CertificateFiles } from "../../src/model/inventory.ts";

export interface CertificateFolder {
  readonly folder: string;
  /** A self-signed certificate with a P-256 key, valid from now for a day. */
  make(file: string, ...names: string[]): CertificateFiles;
  readonly remove: () => void;
}

export function certificateFolder(): CertificateFolder {
  const folder = mkdtempSync(join(tmpdir(), "edgeward-tls-"));
  return {
    folder,
    make(file, ...names) {
      const files = { certificate: join(folder, `${file}.crt`), key: join(folder, `${file}.key`) };
      const kind = ["req", "-x509", "-nodes", "-days", "1", "-newkey", "ec"];
      const curve = ["-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", `/CN=${file}`];
      const alternatives = `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`;
      const out = ["-addext", alternatives, "-keyout", files.key, "-out", files.certificate];
      execFileSync("openssl", [...kind, ...curve, ...out], { stdio: "pipe" });
      return files;
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
