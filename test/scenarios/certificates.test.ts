/**
 * A client as its users run it, and a certificate authority of Debian's that looks at our answers: dehydrated and
 * pebble.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort, takeFolder, takeNetwork } from "./network.ts";
import { LIVE, referenceConfig } from "./reference.ts";
import { ROOT } from "./program.ts";
import { waitFor } from "./wait.ts";
import { type Door, PATIENCE_MS, type Service, startService } from "./harness.ts";

const run = promisify(execFile);
const PROGRAMS = [
  ["pebble", "-h"],
  ["dehydrated", "--help"],
  ["openssl", "version"],
  ["curl", "--version"],
] as const;
const isMissing = PROGRAMS.some(([program, word]) => spawnSync(program, [word]).error !== undefined);

const VOD = "vod.cdn.example.net";
const USER = "vod-cert";
const KEY = "htB9mR9DYgcu9bX_afHF62erXaH2TS7bg9KW3F7Z";

describe.skipIf(isMissing && process.env["CI"] === undefined)("RFC 8555 8.4: a certificate by DNS-01", () => {
  const network = takeNetwork();
  const { folder, remove } = takeFolder();
  let service: Service;
  let authority: Authority;

  beforeAll(async () => {
    const config = await referenceConfig(network);
    const sha256 = createHash("sha256").update(KEY).digest("hex");
    config["acme"] = { accounts: [{ username: USER, sha256, hostname: VOD }] };
    service = await startService({ config, folder });
    authority = await startAuthority(network.host, service.doors.dns, join(folder, "authority"));
  }, PATIENCE_MS);
  afterAll(async () => {
    await authority?.stop();
    await service.stop();
    remove();
  });

  it("is had with our command as the client's hook, for a hostname and all below it", async () => {
    const hook = `
case "$1" in
  deploy_challenge) "${process.execPath}" "${ROOT}/dist/main.js" acme set "$2" "$4" --for 10m -c "${service.configFile}" ;;
  clean_challenge) "${process.execPath}" "${ROOT}/dist/main.js" acme unset "$2" "$4" -c "${service.configFile}" ;;
esac`;
    const certificate = await authority.certify([LIVE, `*.${LIVE}`], hook);
    expect(certificate.checkHost(LIVE)).toBe(LIVE);
    expect(certificate.checkHost(`a.${LIVE}`)).toBe(`*.${LIVE}`);
    expect((await service.ops("GET", "/v1/acme")).json).toEqual([]);
  }, 300_000);

  it("is had with an account of acme-dns' API, for a hostname and all below it", async () => {
    const { host, port } = service.doors.ops;
    const hook = `
[ "$1" = deploy_challenge ] || exit 0
curl -sf -H "X-Api-User: ${USER}" -H "X-Api-Key: ${KEY}" -d "{\\"subdomain\\": \\"${USER}\\", \\"txt\\": \\"$4\\"}" "http://${host}:${port}/update"`;
    const certificate = await authority.certify([VOD, `*.${VOD}`], hook);
    expect(certificate.checkHost(VOD)).toBe(VOD);
    expect(certificate.checkHost(`a.${VOD}`)).toBe(`*.${VOD}`);
  }, 300_000);
});

interface Authority {
  /** @param hook what dehydrated is to run, as its documentation says */
  certify(names: readonly string[], hook: string): Promise<X509Certificate>;
  stop(): Promise<void>;
}

/** @param resolver where it looks for proofs */
async function startAuthority(host: string, resolver: Door, folder: string): Promise<Authority> {
  mkdirSync(folder);
  const [certificate, key, settings] = ["ca.pem", "ca.key", "pebble.json"].map((name) => join(folder, name));
  const [port, management] = [await freePort(host), await freePort(host)];
  const self = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"];
  const of = ["-addext", `subjectAltName=IP:${host}`, "-keyout", `${key}`, "-out", `${certificate}`];
  await run("openssl", ["req", ...self, ...of]);
  const pebble = {
    listenAddress: `${host}:${port}`,
    managementListenAddress: `${host}:${management}`,
    certificate,
    privateKey: key,
    httpPort: 1,
    tlsPort: 1,
    ocspResponderURL: "",
    externalAccountBindingRequired: false,
  };
  writeFileSync(`${settings}`, JSON.stringify({ pebble }));
  const { host: at, port: dns } = resolver;
  const child = spawn("pebble", ["-config", `${settings}`, "-dnsserver", `${at}:${dns}`], {
    // It is meant to trouble clients: at once, and without nonces that it refuses for nothing.
    env: { ...process.env, PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "0", PEBBLE_AUTHZREUSE: "0" },
    stdio: "ignore",
  });
  const directory = `https://${host}:${port}/dir`;
  const trust = ["--cacert", `${certificate}`];
  await waitFor(
    async () => (await run("curl", ["-sf", ...trust, directory])).stdout !== "",
    30_000,
    "pebble to answer",
  );
  let clients = 0;
  return {
    async certify(names, hook) {
      const base = join(folder, `client-${++clients}`);
      const [config, script] = [join(base, "config"), join(base, "hook.sh")];
      mkdirSync(base);
      writeFileSync(script, `#!/bin/sh\nset -e${hook}\n`);
      chmodSync(script, 0o755);
      const words = { CA: directory, CHALLENGETYPE: "dns-01", HOOK: script, BASEDIR: base, ...SMALL_KEYS };
      const settings = { ...words, CURL_OPTS: trust.join(" "), CONTACT_EMAIL: "hostmaster@example.net" };
      const lines = Object.entries(settings).map(([name, value]) => `${name}="${value}"\n`);
      writeFileSync(config, lines.join(""));
      await run("dehydrated", ["-f", config, "--register", "--accept-terms"]);
      await run("dehydrated", ["-f", config, "-c", "-d", names.join(" ")]);
      return new X509Certificate(readFileSync(join(base, "certs", `${names[0]}`, "cert.pem")));
    },
    stop: () => ended(child),
  };
}

/** The usual ones take a slow machine half a minute. */
const SMALL_KEYS = { KEY_ALGO: "prime256v1", ACCOUNT_KEYSIZE: "2048" };

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}
