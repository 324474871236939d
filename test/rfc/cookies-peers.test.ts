/** Cookies beside NSD's and Knot's with the same secret, as behind one address (RFC 9018). */
import { afterAll, beforeAll, expect, it } from "vitest";
import { decode, RCODES, type Reply } from "../dns/answers.ts";
import { rateLimitOf, ZONE, ZONES } from "../dns/fixture.ts";
import { option, query } from "../dns/packets.ts";
import { lacks } from "../servers/programs.ts";
import { firstDatagram, type Harness, startHarness, UDP4 } from "./harness.ts";
import { type Knot, startKnot } from "./knot.ts";
import { type Nsd, startNsd } from "./nsd.ts";

const isLeftOut = lacks("nsd", "knotd");
const zone = ZONES.find(({ name }) => name === ZONE) as (typeof ZONES)[number];
const SECRET = "e5e973e5a6b2a43f48e7dc849e37bfcf";
const COOKIE = 10;
const CLIENT = [0x24, 0x64, 0xc4, 0xab, 0xcf, 0x10, 0xc9, 0x57];
const BADCOOKIE = 23;
/** Truncates every answer to who shows no good cookie. */
const RATE_LIMIT = rateLimitOf(0.1, { windowSeconds: 1, slip: 1 });

let harness: Harness;
let nsd: Nsd | undefined;
let knot: Knot | undefined;
beforeAll(async () => {
  if (isLeftOut) return;
  const dns = { cookieSecrets: [Buffer.from(SECRET, "hex")], rateLimit: RATE_LIMIT } as const;
  harness = await startHarness({ served: { zones: [zone], services: [], dns } });
  nsd = await startNsd(
    [zone],
    0,
    `answer-cookie: yes\n  cookie-secret: "${SECRET}"\n  cookie-secret-file: ""`,
  );
  knot = await startKnot(zone, { name: "mod-cookies", settings: [`secret: 0x${SECRET}`] });
}, 60_000);
afterAll(async () => {
  if (!isLeftOut) await harness.stop();
  await nsd?.stop();
  await knot?.stop();
});

async function ask(port: number, cookie: readonly number[]): Promise<Reply> {
  const packet = query({ name: `static.${ZONE}`, edns: { options: [option(COOKIE, cookie)] } });
  return decode(await firstDatagram("127.0.0.1", port, [packet]));
}

function cookieOf(reply: Reply): number[] {
  return [...(reply.opt?.options.get(COOKIE) ?? [])];
}

it.skipIf(isLeftOut)("RFC 9018 3: cookies of NSD and Knot are good here", async () => {
  const own = harness.port(UDP4);
  expect((await ask(own, CLIENT)).tc).toBe(true);
  for (const peer of [nsd, knot]) {
    const cookie = cookieOf(await ask(peer?.port ?? 0, CLIENT));
    expect(cookie).toHaveLength(24);
    expect(await ask(own, cookie)).toMatchObject({ tc: false, rcode: RCODES.NOERROR });
  }
});

it.skipIf(isLeftOut)("RFC 9018 3: ours are good at Knot, which answers BADCOOKIE to others", async () => {
  const cookie = cookieOf(await ask(harness.port(UDP4), CLIENT));
  const port = knot?.port ?? 0;
  const spoilt = cookie.map((octet, i) => (i === 23 ? octet ^ 1 : octet));
  expect((await ask(port, spoilt)).rcode).toBe(BADCOOKIE);
  expect((await ask(port, cookie)).rcode).toBe(RCODES.NOERROR);
});
