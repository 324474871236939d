import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { type Config, LIVE, referenceConfig, replaceFile, textOf } from "./reference.ts";
import { takeNetwork } from "./network.ts";
import { waitFor } from "./wait.ts";
import { PATIENCE_MS, serviceForAll } from "./harness.ts";

const KEY = "htB9mR9DYgcu9bX_afHF62erXaH2TS7bg9KW3F7Z";
const USER = "c36f50e8-4632-44f0-83fe-e070fef28a10";
const SUBDOMAIN = "8e5700ea-a4bf-41c7-8a77-e990661dcc6a";
const CHALLENGE = `_acme-challenge.${LIVE}`;
const digest = (letter: string): string => letter.repeat(43);

const isMissing = (program: string): boolean =>
  spawnSync(program, ["--version"]).error !== undefined && process.env["CI"] === undefined;

describe.skipIf(isMissing("dig") || isMissing("curl"))("certificates by DNS-01", () => {
  let config: Config;
  const service = serviceForAll(async () => {
    config = await referenceConfig(takeNetwork());
    config["acme"] = {
      accounts: [
        {
          username: USER,
          sha256: createHash("sha256").update(KEY).digest("hex"),
          subdomain: SUBDOMAIN,
          hostname: LIVE,
        },
      ],
    };
    return config;
  });

  /** What dig sees, over UDP and TCP. */
  const texts = async (name = CHALLENGE): Promise<string[]> => {
    const { host, port } = service.doors.dns;
    const ask = async (...more: string[]): Promise<string[]> => {
      const words = [`@${host}`, "-p", String(port), "+short", "+time=10", ...more, name, "TXT"];
      const { stdout } = await promisify(execFile)("dig", words);
      return stdout
        .trim()
        .split("\n")
        .filter(Boolean)
        .map((line) => line.replaceAll('"', ""))
        .sort();
    };
    const overUdp = await ask();
    await waitFor(async () => (await ask("+tcp")).join() === overUdp.join(), 10_000, "TCP to say the same");
    return overUdp;
  };
  const sees = (expected: string[], name?: string): Promise<number> =>
    waitFor(
      async () => (await texts(name)).join() === expected.join(),
      20_000,
      `${expected.join()} at ${name}`,
    );

  /** As acme.sh does: the body without a Content-Type of its own. */
  const update = async (txt: string, key = KEY): Promise<{ status: string; body: string }> => {
    const { host, port } = service.doors.ops;
    const headers = ["-H", `X-Api-User: ${USER}`, "-H", `X-Api-Key: ${key}`];
    const body = JSON.stringify({ subdomain: SUBDOMAIN, txt });
    const words = [
      "-s",
      "-w",
      "\n%{http_code}",
      "-X",
      "POST",
      ...headers,
      "-d",
      body,
      `http://${host}:${port}/update`,
    ];
    const { stdout } = await promisify(execFile)("curl", words);
    const [text = "", status = ""] = stdout.split("\n");
    return { status, body: text };
  };

  it("an operator sets several values, sees them, and takes them away", {
    timeout: PATIENCE_MS,
  }, async () => {
    const set = await service.cli("acme", "set", LIVE, "first-value", "--for", "2h");
    expect(set).toMatchObject({ code: 0 });
    expect(set.stdout).toContain(CHALLENGE);
    expect((await service.cli("acme", "set", `*.${LIVE}`, "second-value")).code).toBe(0);
    await sees(["first-value", "second-value"]);
    const listed = JSON.parse((await service.cli("acme", "list", "-o", "json")).stdout);
    expect(listed).toMatchObject([{ hostname: LIVE, values: [{ value: "second-value", by: "local" }, {}] }]);
    expect((await service.cli("acme", "unset", LIVE, "first-value")).code).toBe(0);
    await sees(["second-value"]);
    expect((await service.cli("acme", "unset", LIVE)).code).toBe(0);
    await sees([]);
    expect((await service.cli("acme", "unset", LIVE)).code).toBe(1);
  });

  it("no value is set where there is no service, or for no time", { timeout: 120_000 }, async () => {
    const foreign = await service.cli("acme", "set", "www.example.org", "value");
    expect(foreign.code).toBe(1);
    expect(foreign.stderr).toContain("live.cdn.example.net");
    const never = await service.cli("acme", "set", LIVE, "value", "--for", "soon");
    expect(never.code).toBe(2);
    expect(never.stderr).toContain("2h");
  });

  it("an acme-dns client's updates are answered, the two newest of them", async () => {
    expect(await update(digest("a"))).toEqual({ status: "200", body: JSON.stringify({ txt: digest("a") }) });
    await update(digest("b"));
    await update(digest("c"));
    await sees([digest("b"), digest("c")]);
    expect((await update(digest("d"), "wrong")).status).toBe("401");
    expect((await update("short")).status).toBe("422");
    await sees([digest("b"), digest("c")]);
  });

  it("a value goes by itself", async () => {
    const body = { value: "brief", until: "1s" };
    expect((await service.ops("PUT", `/v1/acme/vod.cdn.example.net`, body)).status).toBe(200);
    await sees([], "_acme-challenge.vod.cdn.example.net");
  });

  it("values stay over a reload, until their hostname goes", { timeout: 60_000 }, async () => {
    await update(digest("e"));
    config["services"].live.dns = { ttl: "33s" };
    replaceFile(service.configFile, textOf(config));
    await waitFor(
      async () => (await service.dns.ask(LIVE)).ttlSeconds === 33,
      20_000,
      "the new configuration",
    );
    expect(await texts()).toContain(digest("e"));
  });
});
