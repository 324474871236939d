import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RCODES, type Reply } from "../dns/answers.ts";
import { ZONE } from "../dns/fixture.ts";
import { longName, nameOctets, option, query, type QueryParts, TYPES, u16 } from "../dns/packets.ts";
import { type Harness, startHarness, UDP4, WAYS } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const NAME = `static.${ZONE}`;
const KEY = nameOctets("some.key");
const ALGORITHM = nameOctets("hmac-sha256");
const TIME_AND_FUDGE = [0, 0, 0x65, 0x43, 0x21, 0, 1, 44];
const MAC = Array.from({ length: 32 }, (_, i) => i);
const BADKEY = 17;

interface Signed {
  readonly owner?: readonly number[];
  readonly class?: number;
  readonly ttl?: number;
  readonly data?: readonly number[];
}

function tsig({ owner = KEY, class: ofClass = 255, ttl = 0, data = signature() }: Signed = {}): Uint8Array {
  return Uint8Array.from([
    ...owner,
    ...u16(TYPES.TSIG),
    ...u16(ofClass),
    ...u16(0),
    ...u16(ttl),
    ...u16(data.length),
    ...data,
  ]);
}

function signature(algorithm: readonly number[] = ALGORITHM): number[] {
  return [...algorithm, ...TIME_AND_FUDGE, ...u16(MAC.length), ...MAC, ...u16(0x1234), ...u16(0), ...u16(0)];
}

/** What is to go back for it. */
function refusal(owner: readonly number[] = KEY): Buffer {
  const data = [...ALGORITHM, ...TIME_AND_FUDGE, ...u16(0), ...u16(0x1234), ...u16(BADKEY), ...u16(0)];
  return Buffer.from(tsig({ owner, data }));
}

function signed(...records: readonly Uint8Array[]): QueryParts {
  return { name: NAME, records: records.map((octets) => ({ section: 3 as const, octets })) };
}

function end(reply: Reply, octets: number): Buffer {
  return reply.octets.subarray(-octets);
}

describe.each(WAYS)("a query that is signed, %s", (_name, way) => {
  it("RFC 8945 5.2.1, 5.3.2 (H24): is NOTAUTH, with BADKEY and without a MAC", async () => {
    const reply = await harness.ask(way, signed(tsig()));
    expect(reply).toMatchObject({ rcode: RCODES.NOTAUTH, aa: false, tc: false, counts: [1, 0, 0, 1] });
    expect(end(reply, refusal().length)).toEqual(refusal());
  });

  it("RFC 8945 5.1: has the signature behind OPT, and EDNS answered beside it", async () => {
    const edns = { options: [option(10, [1, 2, 3, 4, 5, 6, 7, 8])] };
    const reply = await harness.ask(way, { ...signed(tsig()), edns });
    expect(reply).toMatchObject({ rcode: RCODES.NOTAUTH, counts: [1, 0, 0, 2] });
    expect(reply.opt?.options.get(10)?.length).toBe(24);
    expect(end(reply, refusal().length)).toEqual(refusal());
  });

  it("RFC 1035 4.1.4: may name its key by what the question has", async () => {
    const owner = [3, 0x6b, 0x65, 0x79, 0xc0, 12 + "static".length + 1];
    const reply = await harness.ask(way, signed(tsig({ owner })));
    expect(reply.rcode).toBe(RCODES.NOTAUTH);
    expect(end(reply, refusal(owner).length)).toEqual(refusal(owner));
    expect(reply.packet.additionals).toMatchObject([{ name: `key.${ZONE}`, type: "TSIG" }]);
  });

  it("RFC 8945 5.2.1: is so whatever it asks for, in every zone and in none", async () => {
    const asked = [{ name: "example.org" }, { name: ZONE, type: TYPES.AXFR }, { name: `none.${ZONE}` }, {}];
    for (const question of asked) {
      const reply = await harness.ask(way, { ...question, records: [{ section: 3, octets: tsig() }] });
      expect(reply.rcode, JSON.stringify(question)).toBe(RCODES.NOTAUTH);
    }
  });
});

describe("a signature", () => {
  it.each<readonly [string, QueryParts]>([
    ["twice", signed(tsig(), tsig())],
    ["not the last record", signed(tsig(), Uint8Array.from([0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]))],
    ["as an answer", { name: NAME, records: [{ section: 1, octets: tsig() }] }],
    ["of another class", signed(tsig({ class: 1 }))],
    ["with a TTL", signed(tsig({ ttl: 1 }))],
    ["without anything", signed(tsig({ data: [] }))],
    ["cut off", signed(tsig({ data: signature().slice(0, -1) }))],
    ["with an octet too many", signed(tsig({ data: [...signature(), 0] }))],
    ["with an algorithm by a pointer", signed(tsig({ data: signature([0xc0, 12]) }))],
    ["with a key by a pointer to no label", signed(tsig({ owner: [0xc0, 14] }))],
    [
      "with a key by a pointer, and no question",
      { records: [{ section: 3, octets: tsig({ owner: [0xc0, 12] }) }] },
    ],
    [
      "with a key longer than a name",
      signed(
        tsig({
          owner: Array.from({ length: 5 }, () => [62, ...MAC, ...MAC.slice(2)])
            .flat()
            .concat(0),
        }),
      ),
    ],
  ])("RFC 8945 5.2: %s is FORMERR", async (_name, parts) => {
    const reply = await harness.ask(UDP4, parts);
    expect(reply).toMatchObject({ rcode: RCODES.FORMERR, tc: false });
    expect(reply.counts.slice(1)).toEqual([0, 0, 0]);
  });

  it("RFC 8945 5.3: that has no room goes back over TCP alone", async () => {
    const owner = nameOctets(longName(255, "key"));
    const parts = {
      name: longName(255, ZONE),
      records: [
        { section: 3 as const, octets: tsig({ owner, data: signature(nameOctets(longName(100, "a"))) }) },
      ],
    };
    const reply = await harness.ask(UDP4, parts);
    expect(reply).toMatchObject({ rcode: RCODES.NOTAUTH, tc: true, counts: [1, 0, 0, 0] });
    const whole = await harness.ask({ transport: "tcp", host: "127.0.0.1" }, parts);
    expect(whole).toMatchObject({ rcode: RCODES.NOTAUTH, tc: false, counts: [1, 0, 0, 1] });
  });

  it("costs the next query nothing", async () => {
    await harness.send(UDP4, query(signed(tsig())));
    expect(await harness.ask(UDP4, { name: NAME })).toMatchObject({
      rcode: RCODES.NOERROR,
      counts: [1, 2, 0, 0],
    });
  });
});

const isThere = (program: string, argument: string): boolean =>
  spawnSync(program, [argument]).error === undefined || process.env["CI"] !== undefined;

describe.runIf(isThere("dig", "-v"))("dig with a key", () => {
  it.each(["hmac-md5", "hmac-sha256", "hmac-sha512"])("is told BADKEY, by %s", async (algorithm) => {
    const words = [
      "@127.0.0.1",
      "-p",
      String(harness.port(UDP4)),
      "-y",
      `${algorithm}:some.key:c2VjcmV0`,
      NAME,
    ];
    const { stdout } = await promisify(execFile)("dig", [...words, "+comments", "+additional"]);
    expect(stdout).toContain("status: NOTAUTH");
    expect(stdout).toMatch(/TSIG\s+hmac-[\w.-]+ \d+ 300 0\s+\d+ BADKEY 0/);
  });
});
