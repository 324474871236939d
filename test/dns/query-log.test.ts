import { describe, expect, it } from "vitest";
import { newLineRing, takeLines } from "../../src/base/line-ring.ts";
import { compileNamespace } from "../../src/dns/namespace.ts";
import { createQueryLog } from "../../src/dns/query-log.ts";
import type { QueryLogSettings } from "../../src/model/dns-settings.ts";
import type { Decide, Decision } from "../../src/model/decision.ts";
import { address, decide, SERVICES, ZONE, ZONES } from "./fixture.ts";
import { decode } from "./answers.ts";
import { reply, responder } from "./harness.ts";
import { type QueryParts, query, subnet, TYPES } from "./packets.ts";

const SETTINGS: QueryLogSettings = { destination: "stdout", sample: 1, wholeAddresses: false };

function logging(settings: QueryLogSettings | undefined, random = () => 0) {
  const ring = newLineRing(1 << 16);
  const queryLog = createQueryLog(ring, settings, random, () => Date.UTC(2026, 0, 2, 3, 4, 5));
  const dns = responder({ namespace: compileNamespace(ZONES, SERVICES), queryLog });
  const lines = (): Record<string, unknown>[] =>
    takeLines(ring)
      .toString()
      .split("\n")
      .filter(Boolean)
      .map((text) => JSON.parse(text) as Record<string, unknown>);
  return {
    queryLog,
    lines,
    ask: (parts: QueryParts, from = "198.51.100.7") => {
      reply(dns, query(parts), "udp", address(from).bytes);
      return lines();
    },
  };
}

describe("a line of the query log", () => {
  it("tells of query, answer and decision, of clients no more than their network", () => {
    const { ask } = logging(SETTINGS);
    const options = [subnet(1, 32, [203, 0, 113, 9])];
    expect(ask({ name: `Live.${ZONE}`, edns: { options } })).toEqual([
      {
        time: "2026-01-02T03:04:05.000Z",
        transport: "udp",
        client: "198.51.100.0/24",
        subnet: "203.0.113.0/24",
        scope: 8,
        name: `live.${ZONE}.`,
        type: "A",
        rcode: "NOERROR",
        octets: expect.any(Number),
        service: "live",
        outcome: "edges",
        edges: ["sin1", "nyc1"],
        ttl: 20,
      },
    ]);
    expect(ask({ name: `nowhere.${ZONE}`, type: 65_280 }, "2001:db8:1:2::3")).toMatchObject([
      { client: "2001:db8:1::/48", type: "TYPE65280", rcode: "NXDOMAIN" },
    ]);
  });

  it("names no edge that the answer does not", () => {
    const ring = newLineRing(1 << 16);
    const queryLog = createQueryLog(ring, SETTINGS, () => 0);
    const near: Decide = (question, door) => ({ ...(decide(question, door) as Decision), answers: 1 });
    const dns = responder({ namespace: compileNamespace(ZONES, SERVICES), queryLog, decide: near });
    const octets = reply(dns, query({ name: `live.${ZONE}` }), "udp", address("198.51.100.7").bytes);
    const [line] = takeLines(ring).toString().split("\n");
    expect(decode(octets as Buffer).counts[1]).toBe(1);
    expect(JSON.parse(line as string)).toMatchObject({ edges: ["ams1"] });
  });

  it("has whole addresses where the operator wants them", () => {
    const { ask } = logging({ ...SETTINGS, wholeAddresses: true });
    const options = [subnet(1, 32, [203, 0, 113, 9])];
    expect(ask({ name: `live.${ZONE}`, edns: { options } })).toMatchObject([
      { client: "198.51.100.7", subnet: "203.0.113.9/32" },
    ]);
  });

  it("holds any name as JSON and in presentation form", () => {
    const { ask } = logging(SETTINGS);
    expect(ask({ name: 'a"b\\\n\u00ff', type: TYPES.TXT, class: 3 })).toMatchObject([
      { name: 'a"b\\\\\\010\\255.', class: 3, rcode: "REFUSED" },
    ]);
    expect(ask({ name: "." })).toMatchObject([{ name: "." }]);
    expect(ask({ counts: [0, 0, 0, 0] })).toMatchObject([{ name: null, rcode: "FORMERR" }]);
  });

  it("tells an opcode that is none of a query", () => {
    const { ask } = logging(SETTINGS);
    expect(ask({ name: ZONE, flags: 5 << 11 })).toMatchObject([{ opcode: 5, rcode: "NOTIMP" }]);
    expect(ask({ name: ZONE })[0]).not.toHaveProperty("opcode");
  });
});

describe("sampling", () => {
  it("takes its share, and nothing where there is no log", () => {
    let drawn = 0;
    const { ask, queryLog } = logging({ ...SETTINGS, sample: 0.25 }, () => (drawn++ % 4) / 4);
    const asked = Array.from({ length: 40 }, () => ask({ name: ZONE }).length);
    expect(asked.filter((count) => count === 1)).toHaveLength(10);
    queryLog.take(undefined);
    expect(ask({ name: ZONE })).toEqual([]);
    queryLog.take(SETTINGS);
    expect(ask({ name: ZONE })).toHaveLength(1);
  });

  it("stays with what it drew until the answer is told or passed over", () => {
    let drawn = 0;
    const { queryLog } = logging(SETTINGS, () => drawn++);
    expect([queryLog.isDue(), queryLog.isDue(), queryLog.isDue()]).toEqual([true, true, true]);
    queryLog.pass();
    expect(queryLog.isDue()).toBe(false);
  });
});
