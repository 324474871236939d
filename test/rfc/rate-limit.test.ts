import { createSocket } from "node:dgram";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { counterCells, dnsMetrics } from "../../src/dns/counters.ts";
import { decode, RCODES, type Reply } from "../dns/answers.ts";
import { rateLimitOf, ZONE } from "../dns/fixture.ts";
import { option, query, type QueryParts } from "../dns/packets.ts";
import { LIBC } from "../dns/batched.ts";
import { type Harness, startHarness, TCP4, UDP4, type Way } from "./harness.ts";

const RATE = 5;
const tcp = { connections: 100, connectionsPerNetwork: 100, idleMs: 10_000 };
const rateLimit = rateLimitOf(RATE, {
  windowSeconds: 60,
  exempt: [{ family: 4, bytes: Uint8Array.of(127, 0, 99, 0), length: 24 }],
});

const cells = new Float64Array(counterCells());
let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({ dns: { tcp, rateLimit }, cells });
});
afterAll(() => harness.stop());
/** Every test asks from networks of its own, so that it begins without debts. */
let network = 0;
beforeEach(() => {
  network++;
});

const STATIC: QueryParts = { name: `static.${ZONE}` };
const COOKIE = 10;
const CLIENT = [1, 2, 3, 4, 5, 6, 7, 8];
const HOW_OFTEN = 41;

/** Asks often from one address; the replies that came before that to an opcode that nobody knows. */
async function replies(way: Way, ask: QueryParts | readonly QueryParts[], host: string): Promise<Reply[]> {
  const asked = [ask].flat();
  const socket = createSocket("udp4");
  const got: Reply[] = [];
  await new Promise<void>((resolve) => {
    socket.bind(0, host, resolve);
  });
  const send = (packet: Buffer): void => socket.send(packet, harness.port(way), way.host);
  for (let i = 0; i < HOW_OFTEN; i++) send(query({ id: i, ...(asked[i % asked.length] as QueryParts) }));
  await new Promise<void>((resolve) => {
    const again = setInterval(() => send(query({ ...STATIC, id: 0xffff, edns: known })), 20);
    socket.on("message", (message) => {
      const reply = decode(message);
      if (reply.id !== 0xffff) return void got.push(reply);
      clearInterval(again);
      resolve();
    });
    const known = { options: [option(COOKIE, cookieFor(host))] };
  });
  socket.close();
  return got;
}

/** Filled by `learnCookie`: with a valid cookie the last query of `replies` is answered whatever the limit. */
const cookies = new Map<string, number[]>();
function cookieFor(host: string): number[] {
  return cookies.get(host) ?? [];
}
async function learnCookie(way: Way, host: string): Promise<void> {
  const socket = createSocket("udp4");
  const asking = query({ edns: { options: [option(COOKIE, CLIENT)] } });
  const reply = await new Promise<Reply>((resolve) => {
    socket.on("message", (message) => resolve(decode(message)));
    socket.bind(0, host, () => socket.send(asking, harness.port(way), way.host));
  });
  socket.close();
  cookies.set(host, [...(reply.opt?.options.get(COOKIE) ?? [])]);
}

const WAYS: readonly (readonly [string, Way])[] = [
  ["plain sockets", UDP4],
  ...(LIBC.kind === "loaded" ? [["batched sockets", { ...UDP4, isBatched: true }] as const] : []),
];

describe.each(WAYS)("response rate limiting, %s", (_name, way) => {
  const client = async (): Promise<string> => {
    const host = `127.0.${network}.1`;
    await learnCookie(way, host);
    return host;
  };

  it("answers what the rate allows, and truncates every second of the others", async () => {
    const got = await replies(way, STATIC, await client());
    const full = got.filter(({ tc }) => !tc);
    const slipped = got.filter(({ tc }) => tc);
    // A slow machine takes long enough for more to be allowed.
    expect(full.length).toBeGreaterThanOrEqual(RATE);
    expect(Math.abs(slipped.length - (HOW_OFTEN - full.length) / 2)).toBeLessThanOrEqual(1);
    expect(slipped.length).toBeGreaterThan(0);
    for (const reply of slipped) expect(reply).toMatchObject({ rcode: RCODES.NOERROR, counts: [1, 0, 0, 0] });
  });

  it("gives a truncated reply its OPT record (RFC 6891 7)", async () => {
    const got = await replies(way, { ...STATIC, edns: {} }, await client());
    const slipped = got.find(({ tc }) => tc);
    expect(slipped).toMatchObject({ counts: [1, 0, 0, 1] });
  });

  it("answers all to who holds a valid cookie (RFC 7873 5.2.5)", async () => {
    const host = await client();
    const edns = { options: [option(COOKIE, cookieFor(host))] };
    const got = await replies(way, { ...STATIC, edns }, host);
    expect(got).toHaveLength(HOW_OFTEN);
    expect(got.some(({ tc }) => tc)).toBe(false);
  });

  it("limits who shows a cookie that is not ours", async () => {
    const host = await client();
    const edns = {
      options: [option(COOKIE, [...cookieFor(host).slice(0, 8), ...CLIENT, ...CLIENT])],
    };
    expect((await replies(way, { ...STATIC, edns }, host)).length).toBeLessThan(HOW_OFTEN);
  });

  it("counts names of one wildcard, and names that do not exist, as one", async () => {
    const host = await client();
    const names = (below: string) =>
      Array.from({ length: HOW_OFTEN }, (_, i) => ({ name: `r${i}.${below}` }));
    expect((await replies(way, names(`absent.${ZONE}`), host)).length).toBeLessThan(HOW_OFTEN);
    expect((await replies(way, names("not-ours.example"), host)).length).toBeLessThan(HOW_OFTEN);
  });

  it("answers all to exempt networks", async () => {
    await learnCookie(way, "127.0.99.1");
    expect(await replies(way, STATIC, "127.0.99.1")).toHaveLength(HOW_OFTEN);
  });

  it("counts what it did", async () => {
    const families = () => dnsMetrics([cells]);
    const count = (name: string, reason?: string) =>
      families()
        .find((family) => family.name === name)
        ?.samples.find(({ labels }) => reason === undefined || labels["reason"] === reason) as
        | { value: number }
        | undefined;
    const before = {
      drops: count("dns_dropped_total", "rate-limit")?.value ?? 0,
      slips: count("dns_slipped_total")?.value ?? 0,
    };
    const got = await replies(way, STATIC, await client());
    const slipped = got.filter(({ tc }) => tc).length;
    expect((count("dns_slipped_total")?.value ?? 0) - before.slips).toBe(slipped);
    expect((count("dns_dropped_total", "rate-limit")?.value ?? 0) - before.drops).toBe(
      HOW_OFTEN - got.length,
    );
  });
});

describe("TCP", () => {
  it("is not limited", async () => {
    for (let i = 0; i < HOW_OFTEN; i++) expect((await harness.ask(TCP4, STATIC)).counts[1]).toBe(2);
  });
});
