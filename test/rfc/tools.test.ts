/** What the usual tools make of our answers; dig has a file of its own. */
import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ZONE } from "../dns/fixture.ts";
import { type Harness, startHarness, UDP4 } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const isExcused = (program: string, argument: string): boolean =>
  spawnSync(program, [argument]).error !== undefined && process.env["CI"] === undefined;

const run = async (program: string, ...words: string[]): Promise<string> =>
  (await promisify(execFile)(program, words)).stdout;
const port = (): string => String(harness.port(UDP4));

describe.skipIf(isExcused("drill", "-v"))("drill", () => {
  const drill = (...words: string[]): Promise<string> =>
    run("drill", "-p", port(), ...words.slice(0, 1), "@127.0.0.1", ...words.slice(1));

  it("reads addresses and what there is beside them", async () => {
    const whole = await drill(`live.${ZONE}`, "A");
    expect(whole).toContain("rcode: NOERROR");
    expect(whole).toMatch(/flags: qr aa rd/);
    expect(whole).toContain(`live.${ZONE}.\t20\tIN\tA\t127.0.0.11`);
    expect(whole).toContain(`live.${ZONE}.\t20\tIN\tA\t127.0.0.12`);
  });

  it.each([
    ["static", "TXT", '"hello" "world"'],
    ["@", "MX", `10 mail.${ZONE}.`],
    ["@", "CAA", '0 issue "letsencrypt.org"'],
    ["_sip._udp", "SRV", `1 2 5060 static.${ZONE}.`],
    ["www", "CNAME", "www.example.org."],
    ["any.wild", "A", "192.0.2.7"],
  ])("reads %s %s", async (name, type, data) => {
    const owner = name === "@" ? ZONE : `${name}.${ZONE}`;
    expect(await drill(owner, type)).toContain(`\tIN\t${type}\t${data}`);
  });

  it("reads a referral with glue, a no with its SOA, and a text of 2,000 octets over TCP", async () => {
    const referral = await drill(`x.child.${ZONE}`, "A");
    expect(referral).toContain(`child.${ZONE}.\t300\tIN\tNS\tns.child.${ZONE}.`);
    expect(referral).toContain(`ns.child.${ZONE}.\t300\tIN\tA\t192.0.2.9`);
    const absent = await drill(`nowhere.${ZONE}`, "A");
    expect(absent).toContain("rcode: NXDOMAIN");
    expect(absent).toMatch(new RegExp(`${ZONE}\\.\\t30\\tIN\\tSOA`));
    const long = await run("drill", "-t", "-p", port(), `huge.${ZONE}`, "@127.0.0.1", "TXT");
    expect(long).toContain("7".repeat(250));
  });
});

describe.skipIf(isExcused("kdig", "-V"))("kdig", () => {
  const kdig = (...words: string[]): Promise<string> =>
    run("kdig", "@127.0.0.1", "-p", port(), "+time=5", ...words);

  it("reads addresses, client subnet, NSID and cookies", async () => {
    const whole = await kdig("+subnet=203.0.113.0/24", "+cookie", `live.${ZONE}`, "A");
    expect(whole).toContain("status: NOERROR");
    expect(whole).toMatch(/CLIENT-SUBNET: 203\.0\.113\.0\/24\/8/);
    expect(whole).toMatch(/COOKIE: [0-9A-F]{48}/i);
    expect(whole).toContain("127.0.0.12");
    expect(whole).not.toMatch(/WARNING|malformed/i);
  });

  it("keeps one connection for several questions", async () => {
    const both = await kdig("+tcp", "+keepopen", `static.${ZONE}`, "A", `live.${ZONE}`, "AAAA");
    expect(both).toContain("192.0.2.1");
    expect(both).toContain("2001:db8:a::11");
  });
});

describe.skipIf(isExcused("delv", "-v"))("delv", () => {
  const delv = (...words: string[]): Promise<string> =>
    run("delv", "@127.0.0.1", "-p", port(), "-i", ...words);

  it.each([
    [`live.${ZONE}`, "A", "127.0.0.11"],
    [`live.${ZONE}`, "AAAA", "2001:db8:a::11"],
    [`static.${ZONE}`, "TXT", '"hello" "world"'],
    [ZONE, "SOA", `ns1.${ZONE}.`],
  ])("reads %s %s, authoritative and unsigned", async (name, type, data) => {
    const whole = await delv(name, type);
    expect(whole).toContain("; authoritative");
    expect(whole).toContain(data);
  });

  it("follows an alias to a service", async () => {
    const whole = await delv(`tolive.${ZONE}`, "A");
    expect(whole).toContain(`live.${ZONE}.`);
    expect(whole).toContain("127.0.0.11");
  });

  it("reads a no from its SOA", async () => {
    const absent = await delv(`nowhere.${ZONE}`, "A");
    expect(absent).toContain("-$NXDOMAIN");
    expect(absent).toContain(`${ZONE}. SOA ns1.${ZONE}.`);
  });
});
