import { describe, expect, it } from "vitest";
import { createCookieJar, secretsByDay } from "../../src/dns/cookie.ts";
import { createQuery } from "../../src/dns/query.ts";
import { sipHash } from "../../src/dns/siphash.ts";
import { address } from "./fixture.ts";

describe("SipHash-2-4", () => {
  const key = Uint8Array.from({ length: 16 }, (_, i) => i);
  it.each([
    [0, "310e0edd47db6f72"],
    [1, "fd67dc93c539f874"],
    [8, "62 24 93 9a 79 f5 f5 93".replaceAll(" ", "")],
    [15, "e545be4961ca29a1"],
  ])("gives the published hash of %i octets", (length, expected) => {
    const into = new Uint8Array(8);
    const data = Uint8Array.from({ length: 16 }, (_, i) => i);
    sipHash(key, data, length, into, 0);
    expect(Buffer.from(into).toString("hex")).toBe(expected);
  });
});

interface Case {
  readonly secrets: [string, ...string[]];
  readonly client: string;
  readonly server: string;
  readonly from: string;
  readonly now: number;
}

function renewed({ secrets, client, server, from, now }: Case): { isOurs: boolean; fresh: string } {
  const [first, ...rest] = secrets.map((secret) => Buffer.from(secret, "hex")) as [Buffer, ...Buffer[]];
  const { cookie } = createQuery();
  cookie.client.set(Buffer.from(client, "hex"));
  cookie.server.set(Buffer.from(server, "hex"));
  cookie.serverOctets = server.length / 2;
  const fresh = new Uint8Array(16);
  const isOurs = createCookieJar(() => [first, ...rest]).renew(cookie, address(from).bytes, now, fresh);
  return { isOurs, fresh: Buffer.from(fresh).toString("hex") };
}

const LEARNING: Case = {
  secrets: ["e5e973e5a6b2a43f48e7dc849e37bfcf"],
  client: "2464c4abcf10c957",
  server: "",
  from: "198.51.100.100",
  now: 1_559_731_985,
};
const LEARNT = "010000005cf79f111f8130c3eee29480";

describe("server cookies", () => {
  it("RFC 9018 A.1: learning a new one", () => {
    expect(renewed(LEARNING)).toEqual({ isOurs: false, fresh: LEARNT });
  });

  it("RFC 9018 A.2: renewing an old one", () => {
    const now = 1_559_734_385;
    expect(renewed({ ...LEARNING, server: LEARNT, now })).toEqual({
      isOurs: true,
      fresh: "010000005cf7a871d4a564a1442aca77",
    });
  });

  it("RFC 9018 A.3: reserved octets are hashed as they came, and zero in ours", () => {
    const { isOurs, fresh } = renewed({
      ...LEARNING,
      client: "fc93fc62807ddb86",
      server: "01abcdef5cf78f71a314227b6679ebf5",
      from: "203.0.113.203",
      now: 1_559_727_985,
    });
    expect(isOurs).toBe(true);
    expect(fresh.slice(0, 16)).toBe("010000005cf78f71");
  });

  it("RFC 9018 A.4: one of the former secret is accepted and renewed with the new one, over IPv6", () => {
    expect(
      renewed({
        secrets: ["445536bcd2513298075a5d379663c962", "dd3bdf9344b678b185a6f5cb60fca715"],
        client: "22681ab97d52c298",
        server: "010000005cf7c57926556bd0934c72f8",
        from: "2001:db8:220:1:59de:d0f4:8769:82b8",
        now: 1_559_741_961,
      }),
    ).toEqual({ isOurs: true, fresh: "010000005cf7c609a6bb79d16625507a" });
  });

  it.each([
    ["3600 s old", 3600, true],
    ["3601 s old", 3601, false],
    ["300 s ahead", -300, true],
    ["301 s ahead", -301, false],
  ])("RFC 9018 4.3: one %s is ours: %#", (_name, age, isOurs) => {
    expect(renewed({ ...LEARNING, server: LEARNT, now: LEARNING.now + age }).isOurs).toBe(isOurs);
  });

  it.each([
    ["another address", { from: "198.51.100.101" }],
    ["another client cookie", { client: "2464c4abcf10c958" }],
    ["another secret", { secrets: ["00000000000000000000000000000000"] as [string] }],
    ["another version", { server: `02${LEARNT.slice(2)}` }],
    ["a wrong last octet", { server: `${LEARNT.slice(0, -2)}81` }],
    ["a longer one", { server: `${LEARNT}00` }],
  ])("is not ours with %s", (_name, change) => {
    expect(renewed({ ...LEARNING, server: LEARNT, ...change }).isOurs).toBe(false);
  });
});

describe("the secret of a day", () => {
  const DAY_SECONDS = 86_400;
  const midnight = 20_000 * DAY_SECONDS;
  const from = address("198.51.100.100").bytes;

  it("RFC 7873 7.1: is another than the last, whose cookies stay good", () => {
    const secretsAt = secretsByDay(new Uint8Array(16));
    const [today, yesterday] = secretsAt(midnight);
    expect(secretsAt(midnight + DAY_SECONDS - 1)).toEqual([today, yesterday]);
    expect(secretsAt(midnight - 1)[0]).toEqual(yesterday);
    expect(secretsAt(midnight + DAY_SECONDS)[1]).toEqual(today);
    expect(today).not.toEqual(yesterday);
    expect(today).toHaveLength(16);

    const jar = createCookieJar(secretsByDay(new Uint8Array(16)));
    const { cookie } = createQuery();
    cookie.serverOctets = 16;
    jar.renew(cookie, from, midnight - 10, cookie.server);
    expect(jar.renew(cookie, from, midnight + 10, new Uint8Array(16))).toBe(true);
    const other = createCookieJar(secretsByDay(new Uint8Array(16).fill(1)));
    expect(other.renew(cookie, from, midnight + 10, new Uint8Array(16))).toBe(false);
  });
});
