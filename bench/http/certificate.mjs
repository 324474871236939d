import { execFileSync } from "node:child_process";
import { join } from "node:path";

/**
 * A self-signed certificate with a P-256 key, which all servers use.
 * @param {string} folder
 * @param {string} hostname
 */
export function makeCertificate(folder, hostname) {
  const files = { certificate: join(folder, "server.crt"), key: join(folder, "server.key") };
  const kind = ["req", "-x509", "-nodes", "-days", "1", "-newkey", "ec"];
  const curve = ["-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", `/CN=${hostname}`];
  const names = ["-addext", `subjectAltName=DNS:${hostname}`];
  const out = ["-keyout", files.key, "-out", files.certificate];
  execFileSync("openssl", [...kind, ...curve, ...names, ...out], { stdio: "pipe" });
  return files;
}
