/**
 * Response rate limiting beside NSD's and Knot's with the same limit: a flood from one network, and another
 * network that asks within the limit meanwhile.
 */
import { createSocket } from "node:dgram";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { decode } from "../dns/answers.ts";
import { rateLimitOf, ZONE, ZONES } from "../dns/fixture.ts";
import { query } from "../dns/packets.ts";
import { lacks } from "../servers/programs.ts";
import { type Harness, startHarness, UDP4 } from "./harness.ts";
import { type Knot, rateLimited, startKnot } from "./knot.ts";
import { type Nsd, startNsd } from "./nsd.ts";

const LIMIT = 50;
const FLOOD_PER_SECOND = 300;
const QUIET_PER_SECOND = 10;
const SECONDS = 4;
/** Of the /24 that floods, and one of another. */
const FLOODING = Array.from({ length: 8 }, (_, i) => `127.0.77.${i + 1}`);
const QUIET = "127.0.78.1";
const TURN_MS = 10;
/** No more at once after a pause, so that no socket overflows. */
const SENT_PER_TURN = 10;
const LATE_MS = 500;

const isLeftOut = lacks("nsd", "knotd");
const zone = ZONES.find(({ name }) => name === ZONE) as (typeof ZONES)[number];

let harness: Harness;
let nsd: Nsd | undefined;
let knot: Knot | undefined;
beforeAll(async () => {
  if (isLeftOut) return;
  const rateLimit = rateLimitOf(LIMIT);
  harness = await startHarness({ served: { zones: [zone], services: [], dns: { rateLimit } } });
  nsd = await startNsd([zone], LIMIT);
  knot = await startKnot(zone, rateLimited(LIMIT));
}, 60_000);
afterAll(async () => {
  if (!isLeftOut) await harness.stop();
  await nsd?.stop();
  await knot?.stop();
});

interface Asked {
  sent: number;
  full: number;
  truncated: number;
}

/** At a pace, from each of the addresses in turn; what comes late is waited for. */
async function askAtPace(port: number, from: readonly string[], perSecond: number): Promise<Asked> {
  const asked: Asked = { sent: 0, full: 0, truncated: 0 };
  const sockets = await Promise.all(from.map((address) => bound(address, asked)));
  const startMs = performance.now();
  for (let ms = 0; ms < SECONDS * 1000; ms = performance.now() - startMs) {
    const due = Math.min((ms / 1000) * perSecond, asked.sent + SENT_PER_TURN);
    for (; asked.sent < due; asked.sent++)
      sockets[asked.sent % sockets.length]?.send(
        query({ id: asked.sent & 0xffff, name: `static.${ZONE}` }),
        port,
        "127.0.0.1",
      );
    await sleep(TURN_MS);
  }
  await sleep(LATE_MS);
  for (const socket of sockets) socket.close();
  return asked;
}

function bound(address: string, asked: Asked): Promise<ReturnType<typeof createSocket>> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.on("message", (message) => {
      const { tc, counts } = decode(message);
      if (tc) asked.truncated++;
      else if (counts[1] === 2) asked.full++;
    });
    socket.bind(0, address, () => resolve(socket));
  });
}

async function shares(port: number): Promise<{ flood: Asked; quiet: Asked; seconds: number }> {
  const startMs = performance.now();
  const [flood, quiet] = await Promise.all([
    askAtPace(port, FLOODING, FLOOD_PER_SECOND),
    askAtPace(port, [QUIET], QUIET_PER_SECOND),
  ]);
  return { flood, quiet, seconds: (performance.now() - startMs) / 1000 };
}

it.skipIf(isLeftOut)("bounds a flood as NSD and Knot do", { timeout: 60_000 }, async () => {
  const ports = { edgeward: harness.port(UDP4), NSD: nsd?.port ?? 0, Knot: knot?.port ?? 0 };
  for (const [server, port] of Object.entries(ports)) {
    const { flood, quiet, seconds } = await shares(port);
    const percent = (count: number): string => `${((100 * count) / flood.sent).toFixed(1)} %`;
    const none = flood.sent - flood.full - flood.truncated;
    process.stdout.write(
      `${server}: ${flood.sent} asked, ${percent(flood.full)} answered, ${percent(flood.truncated)} TC, ${percent(none)} none; quiet ${quiet.full} of ${quiet.sent}\n`,
    );
    expect(flood.full, `${server}: something is answered`).toBeGreaterThanOrEqual(LIMIT / 2);
    // Knot counts in such a way that up to twice the limit goes out.
    const most = LIMIT * (seconds + 1) * (server === "edgeward" ? 1 : 2);
    expect(flood.full, `${server}: the rest is not`).toBeLessThanOrEqual(most);
    // Another process may lose packets on a crowded machine: what is lost looks as if it had been dropped.
    const [leastSlipped, leastQuiet] = server === "edgeward" ? [0.35, 1] : [0.1, 0.8];
    const slipped = flood.truncated / (flood.sent - flood.full);
    expect(slipped, `${server}: every second of the others is sent back truncated`).toBeGreaterThan(
      leastSlipped,
    );
    expect(slipped, server).toBeLessThan(0.65);
    expect(quiet.full, `${server}: who asks within the limit is answered`).toBeGreaterThanOrEqual(
      quiet.sent * leastQuiet,
    );
  }
});
