/**
 * The static part of our answers against NSD's on the same zones: response code, flags and sections as sets, for
 * thousands of generated queries. Where the two differ by intent, the difference stands in `JUSTIFIED`; a query that
 * differs in any other way fails the test, and so does a justification that nothing needs any more.
 */
import { spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { afterAll, beforeAll, expect, it } from "vitest";
import { decode, type Reply } from "../dns/answers.ts";
import { ZONE, ZONES } from "../dns/fixture.ts";
import { option, query, type QueryParts, TYPES } from "../dns/packets.ts";
import { startNsd, type Nsd } from "./nsd.ts";
import { type Harness, startHarness, UDP4 } from "./harness.ts";
import { sharesFrom } from "../random.ts";

const isMissing = spawnSync("nsd", ["-v"]).error !== undefined;
const isExcused = isMissing && process.env["CI"] === undefined;

const QUERIES = 6000;

let harness: Harness;
let nsd: Nsd | undefined;
beforeAll(async () => {
  harness = await startHarness({ served: { zones: ZONES, services: [] } });
  if (!isMissing) nsd = await startNsd(ZONES);
}, 60_000);
afterAll(async () => {
  await harness.stop();
  await nsd?.stop();
});

/** Every difference there is, and why it is meant. */
const JUSTIFIED: readonly {
  readonly why: string;
  readonly fits: (asked: QueryParts, ours: Seen, theirs: Seen) => boolean;
}[] = [
  {
    why: "RFC 8482 4: ANY gets HINFO from us, everything from NSD",
    fits: ({ type }) => type === TYPES.ANY,
  },
  {
    why: "RFC 6895 3.1: types that are no data are refused by us whatever the name; NSD looks for them",
    fits: ({ type = 1 }) => META_TYPES.has(type),
  },
  {
    why: "RFC 4035 3.1.6: CD is 0 in our answers; NSD repeats it beside an error",
    fits: (_asked, ours, theirs) =>
      isSame({ ...theirs, flags: theirs.flags.replace(/ ?cd$/, "") }, ours) && theirs.rcode !== 0,
  },
  {
    why: "RFC 1034 3.6.2: we follow a chain of 8 aliases, NSD one of any length in its zone",
    fits: ({ name = "" }) => /chain\d+\./i.test(name),
  },
  {
    why: "RFC 1034 3.6.2: where a wildcard leads to itself, NSD repeats it once more",
    fits: ({ name = "" }) => /\.wildloop\./i.test(name),
  },
  {
    why: "RFC 1035 3.2.4: class ANY is refused by us; NSD takes it for IN",
    fits: (asked) => asked.class === 255,
  },
  {
    why: "RFC 9460 4.1: beside SVCB and HTTPS we add the addresses of their targets",
    fits: ({ type = 1 }, ours, theirs) =>
      (type === TYPES.SVCB || type === TYPES.HTTPS) && isSame({ ...ours, additional: [] }, theirs),
  },
  {
    why: "RFC 1034 4.3.2 6: beside NS at the apex NSD adds the servers' addresses; ours are asked for",
    fits: ({ type }, ours, theirs) => type === TYPES.NS && isSame({ ...theirs, additional: [] }, ours),
  },
];

const META_TYPES: ReadonlySet<number> = new Set([TYPES.OPT, TYPES.TSIG, TYPES.TKEY, TYPES.AXFR, TYPES.IXFR]);

function isSame(a: Seen, b: Seen): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What is compared. */
interface Seen {
  readonly rcode: number;
  readonly flags: string;
  readonly answer: readonly string[];
  readonly authority: readonly string[];
  readonly additional: readonly string[];
  readonly edns: string;
}

it.skipIf(isExcused)(
  `answers ${QUERIES} queries as NSD does, but for what is listed`,
  { timeout: 120_000 },
  async () => {
    const asked = queries(QUERIES);
    const [ours, theirs] = [await askAll(harness.port(UDP4), asked), await askAll(nsd?.port ?? 0, asked)];
    const needed = new Set<string>();
    const differences: string[] = [];
    let equal = 0;
    asked.forEach((parts, i) => {
      const [our, their] = [seenIn(ours[i] as Reply), seenIn(theirs[i] as Reply)];
      if (isSame(our, their)) return equal++;
      const justified = JUSTIFIED.find(({ fits }) => fits(parts, our, their));
      if (justified === undefined)
        differences.push(`${told(parts)}\n ours   ${told(our)}\n theirs ${told(their)}`);
      else needed.add(justified.why);
      return undefined;
    });
    expect(differences.slice(0, 20).join("\n\n"), `${differences.length} differences`).toBe("");
    expect(JUSTIFIED.map(({ why }) => why).filter((why) => !needed.has(why))).toEqual([]);
    expect(equal).toBeGreaterThan(QUERIES * 0.8);
  },
);

function told(value: object): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part instanceof Uint8Array ? Buffer.from(part).toString("hex") : part,
  ).replaceAll(/\\"(?:class|flush)\\":(?:\\"in\\"|false),|\\/g, "");
}

function seenIn(reply: Reply): Seen {
  const { packet, rcode, aa, tc, rd, ra, ad, cd, z, opt } = reply;
  const set = (records: readonly object[] = []): string[] =>
    records
      .filter((record) => (record as { type: string }).type !== "OPT")
      .map((record) => JSON.stringify(record).toLowerCase())
      .sort();
  return {
    rcode,
    flags: Object.entries({ aa, tc, rd, ra, ad, cd, z })
      .flatMap(([name, isSet]) => (isSet ? [name] : []))
      .join(" "),
    answer: set(packet.answers),
    authority: set(packet.authorities),
    additional: set(packet.additionals),
    edns: opt === undefined ? "" : `version ${opt.version} flags ${opt.flags}`,
  };
}

// --- Questions --------------------------------------------------------------------------------------

function queries(count: number): QueryParts[] {
  const random = sharesFrom(20_260_101);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const names = namesToAsk(random);
  const usual = Object.values(TYPES).filter((type) => !META_TYPES.has(type));
  const types = [...usual, ...usual, ...usual, ...META_TYPES, 0, 99, 65_280];
  const edns: readonly QueryParts["edns"][] = [
    undefined,
    undefined,
    {},
    { size: 512 },
    { size: 4096 },
    { flags: 0x8000 },
    { version: 1 },
    { options: [option(100, [1, 2, 3])] },
    { options: [option(65_001)] },
  ];
  return Array.from({ length: count }, (_, i) => {
    const chosen = pick(edns);
    return {
      id: i & 0xffff,
      name: mixedCase(pick(names), random),
      type: pick(types),
      flags: pick([0, 0x0100, 0x0020, 0x0010, 0x0130]),
      ...(random() < 0.02 ? { class: pick([3, 4, 254, 255]) } : {}),
      ...(chosen === undefined ? {} : { edns: chosen }),
    };
  });
}

/** Owners, their ancestors, children and neighbours, what wildcards stand for, and names beyond the zones. */
function namesToAsk(random: () => number): string[] {
  const owners = ZONES.flatMap(({ name, records, nameservers }) => [
    name,
    ...nameservers,
    ...records.map((record) => record.name),
  ]);
  const label = (): string => Math.floor(random() * 1e6).toString(36);
  const around = owners.flatMap((owner) => [
    owner,
    owner,
    owner.slice(owner.indexOf(".") + 1),
    owner.replace(/^\*/, label()),
    owner.replace(/^\*/, `${label()}.${label()}`),
    `${label()}.${owner}`,
    `*.${owner}`,
    `x${owner}`,
  ]);
  const beyond = ["", "net", "example.net", "com", `evil${ZONE}`, `${ZONE}.evil`, "example.org"];
  return [...new Set([...around, ...beyond])];
}

function mixedCase(name: string, random: () => number): string {
  return random() < 0.8 ? name : name.replaceAll(/[a-z]/g, (c) => (random() < 0.5 ? c.toUpperCase() : c));
}

/** Replies by position; queries that get none within a second are asked again. */
async function askAll(port: number, asked: readonly QueryParts[]): Promise<Reply[]> {
  const socket = createSocket("udp4");
  const replies: (Reply | undefined)[] = Array.from({ length: asked.length });
  const waiting = new Map<number, () => void>();
  socket.on("message", (octets) => {
    const id = octets.readUInt16BE(0);
    replies[id] ??= decode(octets);
    waiting.get(id)?.();
  });
  const ask = async (i: number): Promise<void> => {
    for (let tries = 0; replies[i] === undefined; tries++) {
      if (tries === 10) throw new Error(`no reply to ${told(asked[i] as object)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000);
        waiting.set(i, () => {
          clearTimeout(timer);
          resolve();
        });
        socket.send(query(asked[i]), port, "127.0.0.1");
      });
    }
  };
  const order = asked.keys();
  const work = async (): Promise<void> => {
    for (const i of order) await ask(i);
  };
  try {
    await Promise.all(Array.from({ length: 50 }, work));
  } finally {
    socket.close();
  }
  return replies as Reply[];
}
