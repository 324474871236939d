import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Locator } from "../../src/geo/locator.ts";
import { type DatabaseRole, validate } from "../../src/geo/validate.ts";
import { AMSTERDAM, client, LONDON, TOKYO } from "./clients.ts";
import { wordsFrom } from "../random.ts";
import {
  control,
  type Draft,
  double,
  encode,
  file,
  MARKER,
  pointerTo,
  Raw,
  type Value,
  writeMmdb,
} from "./mmdb-writer.ts";

const NOW_MS = Date.parse("2026-11-21");
const RECORDS = { "81.2.69.0/24": LONDON, "133.11.0.0/16": TOKYO, "193.0.0.0/21": AMSTERDAM };
const GOOD: Draft = { records: RECORDS };
const good = (): Uint8Array => writeMmdb(GOOD);

async function verdictOf(bytes: Uint8Array, role: DatabaseRole = "city"): Promise<string> {
  const verdict = await validate(bytes, role, NOW_MS);
  return verdict.kind === "sound" ? `sound ${verdict.databaseKind}` : verdict.reason;
}

/** A file whose only record is this value. */
function holding(value: Value): Uint8Array {
  return writeMmdb({ records: { "81.2.69.0/24": value } });
}

function withMetadata(metadata: Draft["metadata"]): Uint8Array {
  return writeMmdb({ ...GOOD, ...(metadata && { metadata }) });
}

/** Changes the first record of the tree that leads into the data. */
function patchingFirstLeaf(
  change: (record: number, nodeCount: number, dataOctets: number) => number,
): Uint8Array {
  let done = false;
  return writeMmdb({
    ...GOOD,
    patch: (_node, _bit, record, { nodeCount, dataOctets }) => {
      if (done || record <= nodeCount) return record;
      done = true;
      return change(record, nodeCount, dataOctets);
    },
  });
}

/** Lists of pointers to the list below: sixteen values at the bottom, 2^64 when followed. */
function pointerBomb(): Uint8Array {
  const levels: number[][] = [encode("boom")];
  let offset = 0;
  for (let level = 0; level < 16; level++) {
    const pointers = Array.from({ length: 16 }, () => pointerTo(offset));
    offset += (levels.at(-1) as number[]).length;
    levels.push(encode(pointers));
  }
  const data = [...levels.flat(), ...encode({ list: pointerTo(offset) })];
  const record = 1 + 16 + data.length - encode({ list: pointerTo(offset) }).length;
  const tree = [0, 0, record >> 8, record & 255].slice(1);
  return file([...tree, ...tree], data, encode(plainMetadata(24, 1)));
}

function plainMetadata(recordSize: number, nodeCount: number): Value {
  return {
    binary_format_major_version: 2,
    build_epoch: 1_780_000_000n,
    database_type: "Test",
    ip_version: 4,
    node_count: nodeCount,
    record_size: recordSize,
  };
}

/** A list that holds one list that holds one list, and so on. */
function nested(levels: number): Raw {
  return new Raw(...Array.from({ length: levels }, () => control(11, 1)).flat(), ...encode("deep"));
}

const BAD: readonly (readonly [string, () => Uint8Array, string])[] = [
  ["no octets", () => new Uint8Array(0), "no-metadata"],
  ["zeros", () => new Uint8Array(100_000), "no-metadata"],
  ["a compressed file", () => Uint8Array.from(gzipSync(good())), "no-metadata"],
  ["half a file", () => good().subarray(0, good().length / 2), "no-metadata"],
  ["all but the last octet", () => good().subarray(0, -1), "bad-metadata"],
  [
    "the marker far from the end",
    () => Uint8Array.from([...good(), ...new Uint8Array(140_000)]),
    "no-metadata",
  ],
  ["nothing but the marker", () => Uint8Array.from(MARKER), "bad-metadata"],
  [
    "metadata that are a number",
    () => file([], [], [...control(10, 16), ...new Uint8Array(16)]),
    "bad-version",
  ],
  ["metadata that point to themselves", () => file([], [], [0x20, 0x00]), "bad-metadata"],
  [
    "metadata with a number as key",
    () => file([], [], [...control(7, 1), ...encode(1), ...encode(1)]),
    "bad-metadata",
  ],
  ["version 3 of the format", () => withMetadata({ binary_format_major_version: 3 }), "bad-version"],
  ["no version", () => withMetadata({ binary_format_major_version: undefined }), "bad-version"],
  ["no node count", () => withMetadata({ node_count: undefined }), "bad-metadata"],
  ["node count 0", () => withMetadata({ node_count: 0 }), "bad-metadata"],
  ["records of 20 bits", () => withMetadata({ record_size: 20 }), "bad-metadata"],
  ["IP version 5", () => withMetadata({ ip_version: 5 }), "bad-metadata"],
  ["a type that is no text", () => withMetadata({ database_type: 7 }), "bad-metadata"],
  ["a build time that is a text", () => withMetadata({ build_epoch: "today" }), "bad-metadata"],
  ["a build time of 1970", () => withMetadata({ build_epoch: 0n }), "bad-date"],
  ["the largest build time", () => withMetadata({ build_epoch: 2n ** 64n - 1n }), "bad-date"],
  ["a build time next year", () => writeMmdb({ ...GOOD, builtAt: "2027-11-01" }), "bad-date"],
  ["more nodes than octets", () => withMetadata({ node_count: 100_000 }), "bad-tree"],
  ["one node too few", () => withMetadata({ node_count: 1 }), "bad-tree"],
  ["a wrong record size", () => withMetadata({ record_size: 24 }), "bad-tree"],
  ["a record past the data", () => patchingFirstLeaf((_r, nodes, octets) => nodes + 16 + octets), "bad-tree"],
  ["a record between tree and data", () => patchingFirstLeaf((_r, nodes) => nodes + 3), "bad-tree"],
  ["a record in the middle of another", () => patchingFirstLeaf((record) => record + 1), "bad-tree"],
  ["a tree that leads back to its root", () => writeMmdb({ ...GOOD, patch: toRoot }), "bad-tree"],
  ["a tree that forgets a branch", () => writeMmdb({ ...GOOD, patch: cutBranch }), "bad-tree"],
  ["a text longer than the file", () => holding({ city: new Raw(...control(2, 70_000), 65) }), "bad-record"],
  ["octets longer than the file", () => holding({ city: new Raw(...control(4, 70_000), 65) }), "bad-record"],
  ["a double of 4 octets", () => holding({ latitude: new Raw(...control(3, 4), 1, 2, 3, 4) }), "bad-record"],
  [
    "a float of 8 octets",
    () => holding({ latitude: new Raw(...control(15, 8), ...double(1).slice(1)) }),
    "bad-record",
  ],
  [
    "a 32-bit number of 5 octets",
    () => holding({ n: new Raw(...control(6, 5), 1, 2, 3, 4, 5) }),
    "bad-record",
  ],
  [
    "a 128-bit number of 20 octets",
    () => holding({ n: new Raw(...control(10, 20), ...new Uint8Array(20)) }),
    "bad-record",
  ],
  ["a boolean of 7", () => holding({ flag: new Raw(...control(14, 7)) }), "bad-record"],
  ["a type that does not exist", () => holding({ flag: new Raw(0x01, 0x63) }), "bad-record"],
  ["an extended type below 8", () => holding({ flag: new Raw(0x00, 0x00) }), "bad-record"],
  ["a cache container", () => holding({ flag: new Raw(...control(12, 0)) }), "bad-record"],
  ["a pointer out of the file", () => holding({ city: pointerTo(1 << 30) }), "bad-record"],
  ["a pointer to its own record", () => holding({ self: pointerTo(0) }), "bad-record"],
  ["a list of 16 million", () => holding({ list: new Raw(...control(11, 16_000_000)) }), "bad-record"],
  ["a map of 16 million", () => holding({ map: new Raw(...control(7, 16_000_000)) }), "bad-record"],
  ["lists in lists", () => holding({ list: nested(2000) }), "bad-record"],
  ["a pointer bomb", pointerBomb, "bad-record"],
  [
    "a map key that is a list",
    () => holding(new Raw(...control(7, 1), ...encode(["x"]), ...encode("y"))),
    "bad-record",
  ],
  ["no record at all", () => file([0, 0, 1, 0, 0, 1], [], encode(plainMetadata(24, 1))), "empty"],
  ["records that tell no place", () => holding({ is_anonymous: true }), "wrong-kind"],
  ["autonomous systems as city database", () => holding({ autonomous_system_number: 64_496 }), "wrong-kind"],
  [
    "everyone in one country",
    () => writeMmdb({ records: { "0.0.0.0/1": LONDON, "128.0.0.0/1": LONDON } }),
    "implausible",
  ],
];

function toRoot(_node: number, _bit: number, record: number, { nodeCount }: { nodeCount: number }): number {
  return record === nodeCount - 1 ? 0 : record;
}

function cutBranch(
  _node: number,
  _bit: number,
  record: number,
  { nodeCount }: { nodeCount: number },
): number {
  return record === nodeCount - 1 ? nodeCount : record;
}

describe("a database is refused for", () => {
  it.each(BAD)("%s", async (_name, bytes, reason) => {
    expect(await verdictOf(bytes())).toBe(reason);
  });

  it("being listed under geoip.asn when it tells places", async () => {
    expect(await verdictOf(good(), "asn")).toBe("wrong-kind");
  });
});

describe("a tree that forgets a branch", () => {
  it("is told which, wherever it is", async () => {
    const count = nodeCountOf(GOOD);
    expect(count).toBeGreaterThan(32);
    for (let node = 1; node < count; node++) {
      const patch: Draft["patch"] = (_node, _bit, record) => (record === node ? count : record);
      const verdict = await validate(writeMmdb({ ...GOOD, patch }), "city", NOW_MS);
      expect(verdict).toMatchObject({ reason: "bad-tree", detail: `nothing leads to node ${node}` });
    }
  });
});

function nodeCountOf(draft: Draft): number {
  let count = 0;
  const patch: Draft["patch"] = (_node, _bit, record, tree) => {
    count = tree.nodeCount;
    return record;
  };
  writeMmdb({ ...draft, patch });
  return count;
}

describe("a database is taken", () => {
  it.each([24, 28, 32] as const)("with records of %i bits, for IPv4 and for both", async (recordBits) => {
    expect(await verdictOf(writeMmdb({ ...GOOD, recordBits }))).toBe("sound city");
    expect(await verdictOf(writeMmdb({ ...GOOD, recordBits, family: 6 }))).toBe("sound city");
  });

  it("as what its records tell, whatever its name", async () => {
    const country = holding({ country: { iso_code: "GB" } });
    expect(await verdictOf(country)).toBe("sound country");
    expect(await verdictOf(holding({ country_code: "GB" }))).toBe("sound country");
    expect(await verdictOf(holding({ autonomous_system_number: 64_496 }), "asn")).toBe("sound asn");
  });

  it("with a metadata marker among its data", async () => {
    const city = String.fromCodePoint(0xabcd) + "MaxMind.com";
    const marked = { city: new Raw(...control(4, MARKER.length), ...MARKER), country_code: "GB", note: city };
    expect(await verdictOf(holding(marked))).toBe("sound country");
  });

  it("with few well-known addresses in it, wherever they are", async () => {
    expect(await verdictOf(writeMmdb({ records: { "8.0.0.0/8": LONDON, "133.0.0.0/8": LONDON } }))).toBe(
      "sound city",
    );
  });

  it("from the future while the clock has not been set", async () => {
    const verdict = await validate(good(), "city", Date.parse("1970-01-02"));
    expect(verdict.kind).toBe("sound");
  });

  it("ten years later", async () => {
    const verdict = await validate(good(), "city", Date.parse("2036-11-21"));
    expect(verdict.kind).toBe("sound");
  });
});

describe("a flipped bit", () => {
  it("is found, or does no more than change a value: nothing throws, no place is off the globe", async () => {
    const random = wordsFrom(2026);
    let found = 0;
    for (let copy = 0; copy < 400; copy++) {
      const bytes = writeMmdb({ ...GOOD, family: copy % 2 === 0 ? 4 : 6 });
      const at = random() % bytes.length;
      bytes[at] = (bytes[at] as number) ^ (1 << (random() & 7));
      const verdict = await validate(bytes, "city", NOW_MS);
      if (verdict.kind === "refused") found++;
      else lookUpEverywhere(verdict.db, verdict.databaseKind);
    }
    // Most octets of so small a file are tree and structure; values cannot be checked.
    expect(found).toBeGreaterThan(200);
  });
});

type Sound = Extract<Awaited<ReturnType<typeof validate>>, { kind: "sound" }>;

function lookUpEverywhere(db: Sound["db"], kind: Sound["databaseKind"]): void {
  const database = { id: 1, path: "flipped.mmdb", role: "city", kind, db } as const;
  const { locate } = new Locator({ city: [database], asn: [], places: [] });
  for (const text of ["81.2.69.160", "133.11.0.1", "193.0.6.139", "10.0.0.1", "2001:db8::1", "::1"]) {
    const { location, prefixLength } = locate(client(text));
    expect(prefixLength).toBeLessThanOrEqual(text.includes(":") ? 128 : 32);
    expect(Math.abs(location.latitude ?? 0)).toBeLessThanOrEqual(90);
    expect(Math.abs(location.longitude ?? 0)).toBeLessThanOrEqual(180);
  }
}
