import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { data, decode, RCODES, type Reply } from "../dns/answers.ts";
import { rateLimitOf, ZONE, ZONES } from "../dns/fixture.ts";
import { option, query } from "../dns/packets.ts";
import { firstDatagram, type Harness, startHarness, UDP4, WAYS } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const COOKIE = 10;
/** Less than one response in the second that may come at once. */
const NOBODY = rateLimitOf(0.1, { windowSeconds: 1, slip: 1 });
const CLIENT = [1, 2, 3, 4, 5, 6, 7, 8];

function asking(cookie: readonly number[]): Buffer {
  return query({ name: `static.${ZONE}`, edns: { options: [option(COOKIE, cookie)] } });
}

function cookieOf(reply: Reply): Buffer {
  return reply.opt?.options.get(COOKIE) ?? Buffer.alloc(0);
}

describe.each(WAYS)("cookies, %s", (_name, way) => {
  it("RFC 7873 5.2.3, RFC 9018 4 (K01): a client cookie comes back with a server cookie of 16 octets", async () => {
    const reply = await harness.ask(way, asking(CLIENT));
    expect(reply.rcode).toBe(RCODES.NOERROR);
    expect([...cookieOf(reply).subarray(0, 12)]).toEqual([...CLIENT, 1, 0, 0, 0]);
    expect(cookieOf(reply)).toHaveLength(24);
  });

  it("RFC 7873 5.2.5 (K02): presented again it is accepted, and one comes back", async () => {
    const first = await harness.ask(way, asking(CLIENT));
    const again = await harness.ask(way, asking([...cookieOf(first)]));
    expect(again.rcode).toBe(RCODES.NOERROR);
    expect(cookieOf(again)).toHaveLength(24);
  });

  it.each([0, 1, 7, 9, 15, 41])("RFC 7873 5.2.2 (K03): a cookie of %i octets is FORMERR", async (octets) => {
    const reply = await harness.ask(way, asking(Array.from({ length: octets }, () => 1)));
    expect(reply.rcode).toBe(RCODES.FORMERR);
    expect(cookieOf(reply)).toHaveLength(0);
  });

  it("RFC 7873 5.2: of several cookies the first counts, and the others may be anything", async () => {
    const others = [Array.from({ length: 8 }, () => 9), [], [1, 2, 3], Array.from({ length: 41 }, () => 9)];
    const withFirst = (first: readonly number[]): Buffer =>
      query({
        name: `static.${ZONE}`,
        edns: { options: [first, ...others].map((cookie) => option(COOKIE, cookie)) },
      });
    const reply = await harness.ask(way, withFirst(CLIENT));
    expect(reply.rcode).toBe(RCODES.NOERROR);
    expect([...cookieOf(reply).subarray(0, 8)]).toEqual(CLIENT);
    expect((await harness.ask(way, withFirst([1, 2, 3]))).rcode).toBe(RCODES.FORMERR);
  });

  it.each([8, 16, 32])(
    "RFC 7873 5.2.4 (K04): a wrong server cookie of %i octets is answered with a fresh one",
    async (octets) => {
      const reply = await harness.ask(way, asking([...CLIENT, ...Array.from({ length: octets }, () => 9)]));
      expect(reply.rcode).toBe(RCODES.NOERROR);
      expect(data(reply, "A")).toHaveLength(2);
      expect([...cookieOf(reply).subarray(0, 8)]).toEqual(CLIENT);
      expect(cookieOf(reply)).toHaveLength(24);
    },
  );

  it("RFC 9018 4.4 (K05): another client cookie, another server cookie", async () => {
    const one = cookieOf(await harness.ask(way, asking(CLIENT)));
    const other = cookieOf(await harness.ask(way, asking([...CLIENT].reverse())));
    expect(one.subarray(16)).not.toEqual(other.subarray(16));
  });

  it("RFC 7873 5.4 (K06): a query for nothing but a cookie gets one", async () => {
    const reply = await harness.ask(way, { edns: { options: [option(COOKIE, CLIENT)] } });
    expect(reply).toMatchObject({ rcode: RCODES.NOERROR, counts: [0, 0, 0, 1] });
    expect(cookieOf(reply)).toHaveLength(24);
  });
});

describe.each(WAYS.filter(([, { transport }]) => transport === "udp"))("shared secrets, %s", (_name, way) => {
  const [old, next, strange] = [1, 2, 3].map((octet) => new Uint8Array(16).fill(octet)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  /** Truncates every answer to who has shown no cookie of the secrets. */
  const withSecrets = (...cookieSecrets: [Uint8Array, ...Uint8Array[]]): Promise<Harness> =>
    startHarness({ dns: { cookieSecrets, rateLimit: NOBODY } });

  it("RFC 9018 5: a cookie is good at every server that has its secret, whichever makes new ones", async () => {
    const servers = await Promise.all([withSecrets(old), withSecrets(next, old), withSecrets(strange)]);
    const [before, after, other] = servers;
    const first = await before.ask(way, asking(CLIENT));
    expect(first.tc).toBe(true);
    const cookie = [...cookieOf(first)];
    const taken = await after.ask(way, asking(cookie));
    expect([(await before.ask(way, asking(cookie))).tc, taken.tc]).toEqual([false, false]);
    expect((await other.ask(way, asking(cookie))).tc).toBe(true);
    const fresh = [...cookieOf(taken)];
    expect((await after.ask(way, asking(fresh))).tc).toBe(false);
    expect((await before.ask(way, asking(fresh))).tc, "made of the next one").toBe(true);
    await Promise.all(servers.map((server) => server.stop()));
  });
});

it("RFC 9018 5: a reload changes the secrets", async () => {
  const [old, next] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)] as const;
  const server = await startHarness({ dns: { cookieSecrets: [old], rateLimit: NOBODY } });
  const isGood = async (cookie: readonly number[]): Promise<boolean> =>
    !(await server.ask(UDP4, asking(cookie))).tc;
  const take = (...cookieSecrets: [Uint8Array, ...Uint8Array[]]): void =>
    server.door.take({ zones: ZONES, services: [], dns: { cookieSecrets, rateLimit: NOBODY } });
  const cookie = [...cookieOf(await server.ask(UDP4, asking(CLIENT)))];
  expect(await isGood(cookie)).toBe(true);
  take(next, old);
  expect(await isGood(cookie)).toBe(true);
  take(next);
  expect(await isGood(cookie)).toBe(false);
  await server.stop();
});

describe("cookies of two clients", () => {
  it("RFC 9018 4.4 (K05): another address, another server cookie", async () => {
    const at = async (from: string): Promise<Buffer> =>
      cookieOf(decode(await firstDatagram("127.0.0.1", harness.port(UDP4), [asking(CLIENT)], from)));
    expect((await at("127.0.0.1")).subarray(16)).not.toEqual((await at("127.0.0.2")).subarray(16));
  });
});
