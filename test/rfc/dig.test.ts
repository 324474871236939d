import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ZONE } from "../dns/fixture.ts";
import { type Harness, startHarness, TCP4, UDP4, WAYS } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const isMissing = spawnSync("dig", ["-v"]).status !== 0;
const isExcused = isMissing && process.env.CI === undefined;

async function dig(way: (typeof WAYS)[number][1], ...words: string[]): Promise<string> {
  const transport = way.transport === "tcp" ? "+tcp" : "+notcp";
  const at = [`@${way.host}`, "-p", String(harness.port(way)), transport, "+tries=1", "+time=5"];
  return (await promisify(execFile)("dig", [...at, ...words])).stdout;
}

describe.each(WAYS)("dig, %s", (_name, way) => {
  it.skipIf(isExcused)("sees addresses, best first", async () => {
    const addresses = await dig(way, "+short", "+subnet=203.0.113.0/24", `live.${ZONE}`, "A");
    expect(addresses.trim().split("\n")).toEqual(["127.0.0.12", "127.0.0.13"]);
  });

  it.skipIf(isExcused)("sees client subnet and cookie in the reply, and no warning", async () => {
    const whole = await dig(way, "+subnet=203.0.113.0/24", `live.${ZONE}`, "A");
    expect(whole).toContain("; CLIENT-SUBNET: 203.0.113.0/24/8");
    expect(whole).toMatch(/; COOKIE: [0-9a-f]{48} \(good\)/);
    expect(whole).toContain("flags: qr aa rd; QUERY: 1, ANSWER: 2, AUTHORITY: 0, ADDITIONAL: 1");
    expect(whole).not.toMatch(/malformed|mismatch|extra bytes/i);
  });

  it.skipIf(isExcused)("does not want to be located: +subnet=0", async () => {
    const whole = await dig(way, "+subnet=0", `live.${ZONE}`, "A");
    expect(whole).toContain("status: NOERROR");
    expect(whole).toMatch(/; CLIENT-SUBNET: (0|0\.0\.0\.0)\/0\/0/);
  });

  it.skipIf(isExcused)("sees SOA, NS, MX, SRV, CAA, TXT, HTTPS and a CNAME as configured", async () => {
    const short = async (name: string, type: string): Promise<string> =>
      (await dig(way, "+short", name, type)).trim();
    expect(await short(ZONE, "SOA")).toBe(
      `ns1.${ZONE}. host\\.master.example.net. 4000000001 14400 3600 1209600 30`,
    );
    expect(await short(ZONE, "MX")).toBe(`10 mail.${ZONE}.`);
    expect(await short(ZONE, "CAA")).toBe('0 issue "letsencrypt.org"');
    expect(await short(`_sip._udp.${ZONE}`, "SRV")).toBe(`1 2 5060 static.${ZONE}.`);
    expect(await short(`static.${ZONE}`, "TXT")).toBe('"hello" "world"');
    expect(await short(`web.${ZONE}`, "HTTPS")).toBe('1 . alpn="h2,h3"');
    expect(await short(`alias2.${ZONE}`, "A")).toBe(`alias.${ZONE}.\nstatic.${ZONE}.\n192.0.2.1\n192.0.2.2`);
  });
});

describe("dig and a long answer", () => {
  it.skipIf(isExcused)("falls back to TCP on TC", async () => {
    const at = [`@${UDP4.host}`, "-p", String(harness.port(UDP4)), "+tries=1", "+time=5"];
    const { stdout } = await promisify(execFile)("dig", [...at, `huge.${ZONE}`, "TXT"]);
    expect(stdout).toContain("Truncated, retrying in TCP mode");
    expect(stdout).toContain("ANSWER: 1");
    expect(await dig(TCP4, `many.${ZONE}`)).toContain("ANSWER: 60");
  });
});
