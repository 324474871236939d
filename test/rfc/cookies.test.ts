import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { data, decode, RCODES, type Reply } from "../dns/answers.ts";
import { ZONE } from "../dns/fixture.ts";
import { option, query } from "../dns/packets.ts";
import { firstDatagram, type Harness, startHarness, UDP4, WAYS } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const COOKIE = 10;
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

describe("cookies of two clients", () => {
  it("RFC 9018 4.4 (K05): another address, another server cookie", async () => {
    const at = async (from: string): Promise<Buffer> =>
      cookieOf(decode(await firstDatagram("127.0.0.1", harness.port(UDP4), [asking(CLIENT)], from)));
    expect((await at("127.0.0.1")).subarray(16)).not.toEqual((await at("127.0.0.2")).subarray(16));
  });
});
