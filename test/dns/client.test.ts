import { describe, expect, it } from "vitest";
import { formatAddress } from "../../src/base/address.ts";
import type { Question } from "../../src/model/decision.ts";
import { address, decide, ZONE } from "./fixture.ts";
import { reply, responder } from "./harness.ts";
import { query, subnet, TYPES } from "./packets.ts";

const asked: Question[] = [];
const dns = responder({
  decide: (question, door) => {
    asked.push(question);
    return decide(question, door);
  },
});

/** What the engine is asked for a query from that address. */
function questionFor(source: string, ...options: Uint8Array[]): object {
  asked.length = 0;
  reply(dns, query({ name: `Live.${ZONE}`, edns: { options } }), "udp", address(source).bytes);
  const [question] = asked;
  if (question === undefined) throw new Error("nothing was asked");
  const { client, hostname: name } = question;
  return { hostname: name, ...client, address: formatAddress(client.address) };
}

const hostname = `live.${ZONE}`;

describe("whom a decision is made for", () => {
  it("who may have no other way than IPv4, where an address of it is asked for", () => {
    const ask = (type: number): boolean | undefined => {
      asked.length = 0;
      reply(dns, query({ name: `live.${ZONE}`, type }), "udp", address("198.51.100.7").bytes);
      return asked[0]?.needsIpv4;
    };
    expect([ask(TYPES.A), ask(TYPES.AAAA)]).toEqual([true, false]);
  });

  it.each(["198.51.100.7", "2001:db8::7"])("the source %s, without a client subnet", (source) => {
    const prefixLength = source.includes(":") ? 128 : 32;
    expect(questionFor(source)).toEqual({ hostname, address: source, prefixLength, from: "source" });
  });

  it.each([
    ["IPv4", subnet(1, 20, [203, 0, 0x70]), "203.0.112.0", 20],
    ["IPv6", subnet(2, 36, [0x20, 1, 0xd, 0xb8, 0xf0]), "2001:db8:f000::", 36],
    ["IPv6 over IPv4 sources", subnet(2, 8, [0x20]), "2000::", 8],
    ["IPv4-mapped", subnet(2, 112, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 203, 0]), "203.0.0.0", 16],
    ["IPv4-mapped in part", subnet(2, 88, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255]), "::ff00:0:0", 88],
  ])("the client subnet, %s", (_name, option, text, prefixLength) => {
    expect(questionFor("198.51.100.7", option)).toEqual({
      hostname,
      address: text,
      prefixLength,
      from: "client-subnet",
    });
  });

  it.each([0, 1, 2])(
    "RFC 7871 7.1.2: nobody, not the source either, if family %i is sent with SOURCE 0",
    (family) => {
      expect(questionFor("198.51.100.7", subnet(family, 0, []))).toEqual({
        hostname,
        address: "0.0.0.0",
        prefixLength: 0,
        from: "client-subnet",
      });
    },
  );

  it("keeps what it told the engine, whatever comes next", () => {
    questionFor("198.51.100.7", subnet(1, 24, [203, 0, 113]));
    const [first] = asked;
    reply(dns, query({ name: `live.${ZONE}`, edns: { options: [subnet(1, 24, [9, 9, 9])] } }));
    expect(first === undefined ? "" : formatAddress(first.client.address)).toBe("203.0.113.0");
  });

  it("asks by the configured name for every name of a wildcard, and not at all where nothing depends on it", () => {
    asked.length = 0;
    reply(dns, query({ name: `Any.Thing.tenant.${ZONE}` }));
    reply(dns, query({ name: `live.${ZONE}`, type: TYPES.TXT }));
    reply(dns, query({ name: `static.${ZONE}` }));
    expect(asked.map(({ hostname }) => hostname)).toEqual([`*.tenant.${ZONE}`]);
  });
});
