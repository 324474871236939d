import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatAddress } from "../../src/base/address.ts";
import { data, negativeTtl, RCODES, type Reply } from "../dns/answers.ts";
import { ZONE } from "../dns/fixture.ts";
import { subnet, TYPES } from "../dns/packets.ts";
import { type Harness, startHarness, UDP4, WAYS } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const BOUND = `bound.${ZONE}`;

interface Binding {
  readonly priority: number;
  readonly target: string;
  /** In the order they came. */
  readonly params: readonly (readonly [key: number, value: Buffer])[];
}

/** The data of the only answer, octet by octet (RFC 9460 2.2). */
function bindingOf(reply: Reply): Binding {
  const [answer, ...more] = reply.packet.answers ?? [];
  if (answer === undefined || more.length > 0) throw new Error(`${more.length} records too many, or none`);
  const octets = rdata(reply);
  let at = 2;
  const labels: string[] = [];
  for (let length = octets.readUInt8(at++); length > 0; length = octets.readUInt8(at++)) {
    labels.push(octets.toString("latin1", at, at + length));
    at += length;
  }
  const params: [number, Buffer][] = [];
  while (at < octets.length) {
    const end = at + 4 + octets.readUInt16BE(at + 2);
    params.push([octets.readUInt16BE(at), octets.subarray(at + 4, end)]);
    at = end;
  }
  expect(at).toBe(octets.length);
  return { priority: octets.readUInt16BE(0), target: labels.join("."), params };
}

/** The owner is a pointer. */
function rdata({ octets, question }: Reply): Buffer {
  const start = 12 + question.length;
  expect(octets.readUInt16BE(start)).toBe(0xc00c);
  return octets.subarray(start + 12, start + 12 + octets.readUInt16BE(start + 10));
}

/** As A and AAAA show them. */
function hints({ params }: Binding, key: 4 | 6): string[] {
  const value = params.find(([other]) => other === key)?.[1] ?? Buffer.alloc(0);
  const octets = key === 4 ? 4 : 16;
  return Array.from({ length: value.length / octets }, (_, i) =>
    formatAddress({ family: key, bytes: value.subarray(i * octets, (i + 1) * octets) }),
  );
}

describe.each(WAYS)("RFC 9460, %s", (_name, way) => {
  it("2.4.3: ServiceMode, at the owner itself, params ascending, with hints", async () => {
    const reply = await harness.ask(way, { name: BOUND, type: TYPES.HTTPS });
    expect(reply).toMatchObject({ rcode: RCODES.NOERROR, aa: true });
    const binding = bindingOf(reply);
    expect(binding).toMatchObject({ priority: 1, target: "" });
    expect(binding.params.map(([key]) => key)).toEqual([1, 3, 4, 6]);
    expect(binding.params[0]?.[1].toString("latin1")).toBe("\u0002h2\u0002h3");
    expect(binding.params[1]?.[1].readUInt16BE(0)).toBe(8444);
    expect(reply.packet.answers?.[0]).toMatchObject({ name: BOUND, ttl: 20 });
  });

  it("7.3: hints are the A and AAAA of the same client, with their TTL and scope", async () => {
    const seen = new Set<string>();
    for (const first of [1, 192, 198, 203, 224]) {
      for (const rest of [0, 51, 113, 250]) {
        const options = [subnet(1, 24, [first, rest, 7])];
        const ask = (type: number) => harness.ask(way, { name: BOUND, type, edns: { options } });
        const [https, a, aaaa] = [await ask(TYPES.HTTPS), await ask(TYPES.A), await ask(TYPES.AAAA)];
        const binding = bindingOf(https);
        expect(hints(binding, 4)).toEqual(data(a, "A"));
        expect(hints(binding, 6)).toEqual(data(aaaa, "AAAA"));
        expect(https.packet.answers?.[0]).toMatchObject({ ttl: 20 });
        expect(https.opt?.options.get(8)).toEqual(a.opt?.options.get(8));
        seen.add(hints(binding, 4).join());
      }
    }
    expect(seen.size).toBe(3);
  });

  it("7.3: a family without addresses has no hint", async () => {
    const binding = bindingOf(await harness.ask(way, { name: `bound-four.${ZONE}`, type: TYPES.HTTPS }));
    expect(binding.params.map(([key]) => key)).toEqual([1, 3, 4]);
  });

  it("9.1: a port of the URL other than 443 has its record in front, which names the hostname", async () => {
    const name = `_8443._https.${BOUND}`;
    const binding = bindingOf(await harness.ask(way, { name, type: TYPES.HTTPS }));
    expect(binding).toMatchObject({ priority: 1, target: BOUND });
    expect(binding.params.map(([key]) => key)).toEqual([1, 4, 6]);
    for (const type of [TYPES.A, TYPES.AAAA, TYPES.SVCB]) {
      const reply = await harness.ask(way, { name, type });
      expect(reply.rcode).toBe(RCODES.NOERROR);
      expect(negativeTtl(reply)).toBe(30);
    }
    expect((await harness.ask(way, { name: `_https.${BOUND}` })).rcode).toBe(RCODES.NOERROR);
    expect((await harness.ask(way, { name: `_8444._https.${BOUND}` })).rcode).toBe(RCODES.NXDOMAIN);
  });

  it("2.3: another scheme has SVCB, ECH between the hints", async () => {
    const binding = bindingOf(await harness.ask(way, { name: `_dns.${BOUND}`, type: TYPES.SVCB }));
    expect(binding).toMatchObject({ priority: 1, target: BOUND });
    expect(binding.params.map(([key]) => key)).toEqual([1, 4, 5, 6]);
    const plain = bindingOf(await harness.ask(way, { name: `_plain.${BOUND}`, type: TYPES.SVCB }));
    expect(plain).toEqual({ priority: 1, target: BOUND, params: [] });
  });

  it("4: a service without is NODATA, for both types", async () => {
    for (const [name, type] of [
      [`live.${ZONE}`, TYPES.HTTPS],
      [`live.${ZONE}`, TYPES.SVCB],
      [BOUND, TYPES.SVCB],
    ] as const) {
      const reply = await harness.ask(way, { name, type });
      expect(reply).toMatchObject({ rcode: RCODES.NOERROR, aa: true });
      expect(negativeTtl(reply)).toBe(30);
    }
  });

  it("2.4.3: whom the service refuses gets no record, as for addresses", async () => {
    const closed = await harness.ask(way, { name: `bound-closed.${ZONE}`, type: TYPES.HTTPS, edns: {} });
    expect(closed).toMatchObject({ rcode: RCODES.NOERROR });
    expect(closed.opt?.options.get(15)).toEqual(Buffer.of(0, 17));
    expect(negativeTtl(closed)).toBe(30);
    const down = await harness.ask(way, { name: `bound-down.${ZONE}`, type: TYPES.HTTPS });
    expect(down.rcode).toBe(RCODES.SERVFAIL);
  });

  it("RFC 4592 3.3: a wildcard hostname has it under every name", async () => {
    const name = `any.bound.wild.${ZONE}`;
    const reply = await harness.ask(way, { name, type: TYPES.HTTPS });
    expect(reply.rcode).toBe(RCODES.NOERROR);
    expect(reply.packet.answers?.[0]).toMatchObject({ name });
    expect(bindingOf(reply).target).toBe("");
  });
});

/** What a program prints for the record. */
async function shown(program: string, ...words: string[]): Promise<string> {
  const at = [`@${UDP4.host}`, "-p", String(harness.port(UDP4)), "+short", "+time=5"];
  return (await promisify(execFile)(program, [...at, ...words])).stdout.trim();
}

const isExcused = (program: string): boolean =>
  spawnSync(program, ["-V"]).error !== undefined && process.env.CI === undefined;

describe("what others read of it", () => {
  it.skipIf(isExcused("dig"))("dig", async () => {
    expect(await shown("dig", BOUND, "HTTPS")).toBe(
      '1 . alpn="h2,h3" port=8444 ipv4hint=127.0.0.11,127.0.0.12 ipv6hint=2001:db8:a::11,2001:db8:a::12',
    );
    expect(await shown("dig", `_8443._https.${BOUND}`, "HTTPS")).toBe(
      `1 ${BOUND}. alpn="h2,h3" ipv4hint=127.0.0.11,127.0.0.12 ipv6hint=2001:db8:a::11,2001:db8:a::12`,
    );
    expect(await shown("dig", `_dns.${BOUND}`, "SVCB")).toBe(
      `1 ${BOUND}. alpn="h2,h3" ipv4hint=127.0.0.11,127.0.0.12 ech=ZWNo ipv6hint=2001:db8:a::11,2001:db8:a::12`,
    );
  });

  it.skipIf(isExcused("kdig"))("kdig", async () => {
    expect(await shown("kdig", BOUND, "HTTPS")).toBe(
      "1 . alpn=h2,h3 port=8444 ipv4hint=127.0.0.11,127.0.0.12 ipv6hint=2001:db8:a::11,2001:db8:a::12",
    );
  });
});
