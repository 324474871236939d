import { mkdtemp, rename, rm, symlink, truncate, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { formatPrefix, maskBytes } from "../../src/base/address.ts";
import { type Geo, type GeoOptions, openGeo } from "../../src/geo/geo.ts";
import { Locator, newLookupCounts } from "../../src/geo/locator.ts";
import type { SimpleFamily } from "../../src/model/metrics.ts";
import { AMSTERDAM, cityRecord, client, LONDON, memoryLog, place, TOKYO } from "./clients.ts";
import { wordsFrom } from "../random.ts";
import { control, Raw, writeMmdb } from "./mmdb-writer.ts";

const NOW_MS = Date.parse("2026-11-21");
const POLL_MS = 10;

let folder: string;
let log: ReturnType<typeof memoryLog>;
const opened: Geo[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "geo-"));
  log = memoryLog();
});

afterEach(async () => {
  for (const geo of opened.splice(0)) geo.stop();
  await rm(folder, { recursive: true });
});

async function open(options: Partial<GeoOptions> = {}): Promise<Geo> {
  const files = { city: [], asn: [] };
  const geo = await openGeo({
    files,
    places: [],
    packagedCity: [],
    log,
    now: () => NOW_MS,
    pollMs: POLL_MS,
    ...options,
  });
  opened.push(geo);
  return geo;
}

async function stored(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

/** As geoipupdate does it: written beside, then renamed into place. */
async function replaced(path: string, bytes: Uint8Array): Promise<void> {
  await writeFile(`${path}.new`, bytes);
  await rename(`${path}.new`, path);
}

async function openCity(...files: Uint8Array[]): Promise<Geo> {
  const city = await Promise.all(files.map((bytes, i) => stored(`city-${i}.mmdb`, bytes)));
  return open({ files: { city, asn: [] } });
}

function valueOf(geo: Geo, name: string, labels: Record<string, string>): number | undefined {
  const family = geo.metrics().find((f) => f.name === name) as SimpleFamily | undefined;
  return family?.samples.find((s) => Object.entries(labels).every(([k, v]) => s.labels[k] === v))?.value;
}

function refusals(): unknown[] {
  return log.lines.filter((line) => line.level === "error").map((line) => line.fields["reason"]);
}

const LONDON_FILE = writeMmdb({ records: { "81.2.69.0/24": LONDON } });
const TOKYO_FILE = writeMmdb({ records: { "81.2.69.0/24": TOKYO } });

describe("locate", () => {
  it("reads MaxMind's nested records", async () => {
    const geo = await openCity(LONDON_FILE);
    expect(geo.locate(client("81.2.69.160"))).toEqual({
      prefixLength: 24,
      location: {
        layer: "city",
        city: "London",
        country: "GB",
        continent: "EU",
        latitude: 51.5143,
        longitude: -0.093,
        accuracyRadiusKm: 20,
      },
    });
  });

  it("reads flat records", async () => {
    const flat = { city: "Oslo", country_code: "NO", latitude: 59.91, longitude: 10.75, state1: "Oslo" };
    const geo = await openCity(writeMmdb({ type: "city ipv4", records: { "192.0.2.0/25": flat } }));
    expect(geo.locate(client("192.0.2.1")).location).toEqual({
      layer: "city",
      city: "Oslo",
      country: "NO",
      continent: "EU",
      latitude: 59.91,
      longitude: 10.75,
    });
  });

  it("places a country in the middle of its people", async () => {
    const geo = await openCity(
      writeMmdb({ records: { "192.0.2.0/24": { registered_country: { iso_code: "NL" } } } }),
    );
    const { location } = geo.locate(client("192.0.2.1"));
    expect(location).toMatchObject({ layer: "country", country: "NL", continent: "EU" });
    expect(location.latitude).toBeCloseTo(52, 0);
    expect(location.longitude).toBeCloseTo(5, 0);
    expect(location.accuracyRadiusKm).toBeGreaterThan(30);
  });

  it("knows a continent where that is all the record tells", async () => {
    const geo = await openCity(
      writeMmdb({
        records: { "192.0.2.0/24": { continent: { code: "EU" } }, "198.51.100.0/24": { country_code: "NL" } },
      }),
    );
    expect(geo.locate(client("192.0.2.1")).location).toEqual({ layer: "country", continent: "EU" });
  });

  it.each([
    ["coordinates 0, 0", { country_code: "GB", latitude: 0, longitude: 0 }, "country"],
    ["a latitude beyond the pole", { country_code: "GB", latitude: 90.5, longitude: 1.5 }, "country"],
    ["a country code of no country", { country_code: "ZZ", city: "Nowhere" }, "none"],
    ["a country code that is a property of every object", { country_code: "constructor" }, "none"],
  ])("does not believe %s", async (_name, record, layer) => {
    const geo = await openCity(writeMmdb({ records: { "192.0.2.0/24": record, "81.2.69.0/24": LONDON } }));
    expect(geo.locate(client("192.0.2.1")).location.layer).toBe(layer);
  });

  it("gives everyone whom nobody knows the same unknown location, and the width of the gap", async () => {
    const geo = await openCity(LONDON_FILE);
    const nobody = geo.locate(client("192.0.2.1"));
    expect(nobody).toEqual({ location: { layer: "none" }, prefixLength: 1 });
    expect(geo.locate(client("10.0.0.1")).location).toBe(nobody.location);
    expect(geo.locate(client("2001:db8::1"))).toEqual({ location: { layer: "none" }, prefixLength: 0 });
  });

  it("gives one object per record", async () => {
    const geo = await openCity(LONDON_FILE);
    expect(geo.locate(client("81.2.69.1")).location).toBe(geo.locate(client("81.2.69.254")).location);
  });

  it("never takes an IPv6 address for an IPv4 one: an IPv4-only file does not know it", async () => {
    const everything = { "0.0.0.0/1": LONDON, "128.0.0.0/2": TOKYO, "192.0.0.0/2": AMSTERDAM };
    const geo = await openCity(writeMmdb({ records: everything }));
    for (const text of ["2001:db8::1", "::1", "5102:45a0::", "::81.2.69.160"])
      expect(geo.locate(client(text))).toEqual({ location: { layer: "none" }, prefixLength: 0 });
  });

  it("finds IPv4, mapped addresses too, below ::/96 of an IPv6 file, with IPv4's prefix lengths", async () => {
    const geo = await openCity(
      writeMmdb({ family: 6, records: { "81.2.69.0/24": LONDON, "2001:db8::/32": TOKYO } }),
    );
    for (const text of ["81.2.69.160", "::ffff:81.2.69.160", "::ffff:81.2.69.0/120"]) {
      const { location, prefixLength } = geo.locate(client(text));
      expect(location.city).toBe("London");
      expect(prefixLength).toBe(24);
    }
    expect(geo.locate(client("2001:db8::1"))).toMatchObject({
      location: { city: "Tokyo" },
      prefixLength: 32,
    });
  });

  it("says nothing of IPv4 by an IPv6 file without IPv4", async () => {
    const geo = await openCity(writeMmdb({ family: 6, records: { "2001:db8::/32": TOKYO } }));
    expect(geo.locate(client("81.2.69.160"))).toEqual({ location: { layer: "none" }, prefixLength: 0 });
  });

  it("reports the deeper record of a client subnet that is wider than it", async () => {
    const geo = await openCity(writeMmdb({ records: { "81.2.0.0/24": LONDON, "81.2.1.0/24": TOKYO } }));
    expect(geo.locate(client("81.2.0.0/16"))).toMatchObject({
      location: { city: "London" },
      prefixLength: 24,
    });
  });

  it("asks several files in order: coordinates win, a country stands in, the scope covers all asked", async () => {
    const geo = await openCity(
      writeMmdb({
        records: { "81.2.69.0/28": { country_code: "GB" }, "192.0.2.0/30": { country_code: "NL" } },
      }),
      writeMmdb({ records: { "81.2.69.0/24": LONDON } }),
      writeMmdb({ records: { "81.2.69.0/30": TOKYO } }),
    );
    expect(geo.locate(client("81.2.69.1"))).toMatchObject({ location: { city: "London" }, prefixLength: 28 });
    expect(geo.locate(client("192.0.2.1"))).toMatchObject({
      location: { layer: "country", country: "NL" },
      prefixLength: 30,
    });
  });

  it("takes the operator's word over GeoIP, and is as narrow as the nearest other place", async () => {
    const path = await stored("city.mmdb", LONDON_FILE);
    const places = [place("81.2.69.64/26", { country: "SG" })];
    const geo = await open({ files: { city: [path], asn: [] }, places });
    expect(geo.locate(client("81.2.69.70"))).toEqual({
      location: { layer: "places", latitude: 1, longitude: 2, country: "SG", continent: "AS" },
      prefixLength: 26,
    });
    expect(geo.locate(client("81.2.69.1"))).toMatchObject({ location: { city: "London" }, prefixLength: 26 });
    expect(geo.locate(client("81.2.69.200"))).toMatchObject({
      location: { city: "London" },
      prefixLength: 25,
    });
    geo.setPlaces([]);
    expect(geo.locate(client("81.2.69.70"))).toMatchObject({
      location: { city: "London" },
      prefixLength: 24,
    });
  });

  it("tells the autonomous system, and counts its records into the scope", async () => {
    const city = await stored("city.mmdb", LONDON_FILE);
    const asn = await stored(
      "asn.mmdb",
      writeMmdb({
        records: { "81.2.69.0/26": { autonomous_system_number: 64_496, as_organization: "Example" } },
      }),
    );
    const geo = await open({ files: { city: [city], asn: [asn] }, places: [place("192.0.2.0/24")] });
    expect(geo.locate(client("81.2.69.1"))).toMatchObject({ asn: 64_496, prefixLength: 26 });
    expect(geo.locate(client("81.2.69.128"))).toMatchObject({
      location: { city: "London" },
      prefixLength: 25,
    });
    expect(geo.locate(client("81.2.69.128"))).not.toHaveProperty("asn");
    expect(geo.locate(client("192.0.2.1"))).toMatchObject({
      location: { layer: "places" },
      prefixLength: 24,
    });
  });

  it("answers alike for all addresses inside the prefix it answered", async () => {
    const random = wordsFrom(7);
    const cities = [LONDON, TOKYO, AMSTERDAM];
    const prefix = (): string => {
      const length = 3 + (random() % 14);
      return formatPrefix({
        family: 4,
        bytes: maskBytes(Uint8Array.from({ length: 4 }, random), length),
        length,
      });
    };
    const records = Object.fromEntries(
      Array.from({ length: 200 }, (_, i) => [prefix(), cities[i % 3] ?? LONDON]),
    );
    const asns = Object.fromEntries(
      Array.from({ length: 50 }, (_, i) => [prefix(), { autonomous_system_number: 64_496 + (i % 3) }]),
    );
    const city = await stored("city.mmdb", writeMmdb({ records: widestFirst(records) }));
    const asn = await stored("asn.mmdb", writeMmdb({ records: widestFirst(asns) }));
    const places = Array.from({ length: 30 }, (_, i) => place(prefix(), { latitude: i }));
    const geo = await open({ files: { city: [city], asn: [asn] }, places });
    for (let round = 0; round < 5000; round++) {
      const bytes = Uint8Array.from({ length: 4 }, random);
      const one = geo.locate(whole(bytes));
      const other = geo.locate(whole(sameLeadingBits(bytes, one.prefixLength, random)));
      expect(other.location).toBe(one.location);
      expect(other.asn).toBe(one.asn);
      expect(other.prefixLength).toBe(one.prefixLength);
    }
  });

  it("takes a record that cannot be read for unknown, and counts it", async () => {
    const geo = await openCity(LONDON_FILE);
    damageRecords(geo);
    expect(geo.locate(client("81.2.69.1"))).toEqual({ location: { layer: "none" }, prefixLength: 24 });
    expect(valueOf(geo, "geoip_lookup_failures_total", {})).toBe(1);
  });
});

/** Overwrites the records in memory, as no validation could have foreseen. */
function damageRecords(geo: Geo): void {
  const { db } = geo.snapshot().city[0] as { db: { bytes: Uint8Array; dataStart: number; dataEnd: number } };
  db.bytes.fill(0xff, db.dataStart, db.dataEnd);
}

/** The order in which the writer cuts the narrower ones out of the wider. */
function widestFirst<T>(records: { [prefix: string]: T }): { [prefix: string]: T } {
  return Object.fromEntries(
    Object.entries(records).sort(([a], [b]) => Number(a.split("/")[1]) - Number(b.split("/")[1])),
  );
}

function whole(bytes: Uint8Array): Parameters<Geo["locate"]>[0] {
  return { address: { family: 4, bytes }, prefixLength: 32, from: "source" };
}

function sameLeadingBits(bytes: Uint8Array, length: number, random: () => number): Uint8Array {
  const keep = length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
  const view = new DataView(Uint8Array.from(bytes).buffer);
  view.setUint32(0, (view.getUint32(0) & keep) | (random() & ~keep));
  return new Uint8Array(view.buffer);
}

describe("a database on disk", () => {
  it("is replaced whole when another is renamed into its place", async () => {
    const path = await stored("city.mmdb", LONDON_FILE);
    const geo = await open({ files: { city: [path], asn: [] } });
    await replaced(path, TOKYO_FILE);
    await vi.waitFor(() => expect(geo.locate(client("81.2.69.1")).location.city).toBe("Tokyo"), 5000);
    expect(geo.locate(client("81.2.69.1")).location.city).toBe("Tokyo");
  });

  it("is replaced when a symbolic link is swapped", async () => {
    const link = join(folder, "current.mmdb");
    await symlink(await stored("old.mmdb", LONDON_FILE), link);
    const geo = await open({ files: { city: [link], asn: [] } });
    await symlink(await stored("new.mmdb", TOKYO_FILE), `${link}.new`);
    await rename(`${link}.new`, link);
    await vi.waitFor(() => expect(geo.locate(client("81.2.69.1")).location.city).toBe("Tokyo"), 5000);
  });

  it.each<[string, (path: string) => Promise<void>, string]>([
    ["emptied", (path) => truncate(path, 0), "empty-file"],
    ["cut in half", (path) => truncate(path, LONDON_FILE.length >> 1), "no-metadata"],
    ["removed", (path) => unlink(path), "absent"],
    [
      "replaced by rubbish",
      (path) =>
        replaced(
          path,
          Uint8Array.from({ length: 9999 }, (_, i) => i),
        ),
      "no-metadata",
    ],
    ["replaced by one of another kind", (path) => replaced(path, ASN_FILE), "wrong-kind"],
    ["replaced by one with a broken record", (path) => replaced(path, BROKEN_FILE), "bad-record"],
  ])(
    "stays in use when the file is %s, and the refusal is logged and counted",
    async (_name, harm, reason) => {
      const path = await stored("city.mmdb", LONDON_FILE);
      const geo = await open({ files: { city: [path], asn: [] } });
      await harm(path);
      await vi.waitFor(() => expect(refusals()).toContain(reason), 5000);
      expect(geo.locate(client("81.2.69.1")).location.city).toBe("London");
      expect(valueOf(geo, "geoip_database_errors_total", { database: "city.mmdb", reason })).toBeGreaterThan(
        0,
      );
      expect(valueOf(geo, "geoip_database_loaded", { database: "city.mmdb" })).toBe(1);
      expect(valueOf(geo, "geoip_database_last_read_successful", { database: "city.mmdb" })).toBe(0);
      await replaced(path, TOKYO_FILE);
      await vi.waitFor(() => expect(geo.locate(client("81.2.69.1")).location.city).toBe("Tokyo"), 5000);
      expect(valueOf(geo, "geoip_database_last_read_successful", { database: "city.mmdb" })).toBe(1);
    },
  );

  it("may be absent at the start: places serve, and it is taken when it appears", async () => {
    const path = join(folder, "late.mmdb");
    const geo = await open({ files: { city: [path], asn: [] }, places: [place("192.0.2.0/24")] });
    expect(refusals()).toEqual(["absent"]);
    const flaw = { reason: "absent", detail: expect.any(String) as string };
    expect(geo.databases()).toEqual([{ path, role: "city", flaw }]);
    expect(geo.locate(client("192.0.2.1")).location.layer).toBe("places");
    expect(geo.locate(client("81.2.69.1"))).toMatchObject({ location: { layer: "none" } });
    expect(valueOf(geo, "geoip_database_loaded", { database: "late.mmdb" })).toBe(0);
    await replaced(path, LONDON_FILE);
    await vi.waitFor(() => expect(geo.locate(client("81.2.69.1")).location.city).toBe("London"), 5000);
  });

  it("is refused where it is no file at all", async () => {
    await open({ files: { city: [folder], asn: [] } });
    expect(refusals()).toEqual(["unreadable"]);
  });

  it("is let go when another file is configured, which is read before it serves", async () => {
    const [first, second] = [await stored("a.mmdb", LONDON_FILE), await stored("b.mmdb", TOKYO_FILE)];
    const geo = await open({ files: { city: [first], asn: [] } });
    const use = await geo.prepareFiles({ city: [second], asn: [] });
    expect(geo.locate(client("81.2.69.1")).location.city, "read, and not in use yet").toBe("London");
    use();
    expect(geo.locate(client("81.2.69.1")).location.city).toBe("Tokyo");
    expect(geo.databases().map((info) => info.path)).toEqual([second]);
  });

  it("stands in while the file that is configured instead is absent or unsound", async () => {
    const [first, second] = [await stored("a.mmdb", LONDON_FILE), join(folder, "b.mmdb")];
    const geo = await open({ files: { city: [first], asn: [] } });
    (await geo.prepareFiles({ city: [second], asn: [] }))();
    expect(geo.locate(client("81.2.69.1")).location.city).toBe("London");
    expect(log.lines.at(-1)).toMatchObject({ level: "warn", fields: { files: [first] } });
    await replaced(second, TOKYO_FILE);
    await vi.waitFor(() => expect(geo.locate(client("81.2.69.1")).location.city).toBe("Tokyo"), 5000);
    expect(geo.databases().map((info) => info.path)).toEqual([second]);
    await replaced(first, LONDON_FILE);
    (await geo.prepareFiles({ city: [], asn: [] }))();
    expect(geo.databases()).toEqual([]);
    expect(geo.locate(client("81.2.69.1")).location.layer).toBe("none");
  });

  it("follows the last of several configurations that come at once", async () => {
    const [first, second] = [await stored("a.mmdb", LONDON_FILE), await stored("b.mmdb", TOKYO_FILE)];
    const geo = await open();
    const files = [[first], [], [second]].map((city) => ({ city, asn: [] }));
    for (const use of await Promise.all(files.map((some) => geo.prepareFiles(some)))) use();
    expect(geo.databases().map((info) => info.path)).toEqual([second]);
    expect(geo.locate(client("81.2.69.1")).location.city).toBe("Tokyo");
  });

  it("is not looked at any more after the end", async () => {
    const path = await stored("city.mmdb", LONDON_FILE);
    const geo = await open({ files: { city: [path], asn: [] } });
    geo.stop();
    const lines = log.lines.length;
    await replaced(path, TOKYO_FILE);
    await new Promise((resolve) => {
      setTimeout(resolve, 10 * POLL_MS);
    });
    expect(log.lines).toHaveLength(lines);
    expect(geo.locate(client("81.2.69.1")).location.city).toBe("London");
  });

  it("is warned of when it is more than a year old, and taken", async () => {
    const geo = await openCity(writeMmdb({ builtAt: "2024-01-01", records: { "81.2.69.0/24": LONDON } }));
    expect(log.lines.map((line) => line.level)).toEqual(["warn"]);
    expect(geo.locate(client("81.2.69.1")).location.city).toBe("London");
  });
});

const ASN_FILE = writeMmdb({ records: { "81.2.69.0/24": { autonomous_system_number: 64_496 } } });
const BROKEN_FILE = writeMmdb({
  records: { "81.2.69.0/24": { city: new Raw(...control(3, 4), 0, 0, 0, 0) } },
});

describe("what operators see", () => {
  it("counts look-ups by layer and dates the databases", async () => {
    const path = await stored("city.mmdb", LONDON_FILE);
    const geo = await open({ files: { city: [path], asn: [] }, places: [place("192.0.2.0/24")] });
    for (const text of ["81.2.69.1", "81.2.69.2", "192.0.2.1", "10.0.0.1"]) geo.locate(client(text));
    const layers = ["places", "city", "country", "none"];
    expect(layers.map((layer) => valueOf(geo, "geoip_lookups_total", { layer }))).toEqual([1, 2, 0, 1]);
    expect(valueOf(geo, "geoip_database_build_timestamp_seconds", { database: "city.mmdb" })).toBe(
      Date.parse("2026-06-01") / 1000,
    );
  });

  it("tells files of the same name apart by their paths", async () => {
    const other = await mkdtemp(join(folder, "other-"));
    const [first, second] = [join(folder, "x.mmdb"), join(other, "x.mmdb")];
    await writeFile(first, LONDON_FILE);
    await writeFile(second, TOKYO_FILE);
    const geo = await open({ files: { city: [first, second], asn: [] } });
    expect(valueOf(geo, "geoip_database_loaded", { database: first })).toBe(1);
    expect(valueOf(geo, "geoip_database_loaded", { database: second })).toBe(1);
  });

  it("explains where an answer comes from, without counting it", async () => {
    const city = await stored("city.mmdb", LONDON_FILE);
    const asn = await stored("asn.mmdb", ASN_FILE);
    const geo = await open({ files: { city: [city], asn: [asn] }, places: [place("81.2.69.64/26")] });
    expect(geo.explain(client("81.2.69.160"))).toMatchObject({
      location: { city: "London" },
      asn: 64_496,
      prefix: "81.2.69.128/25",
      database: { path: city, prefix: "81.2.69.0/24" },
      asnDatabase: { path: asn, prefix: "81.2.69.0/24" },
    });
    const placed = geo.explain(client("81.2.69.65"));
    expect(placed).toMatchObject({ place: "81.2.69.64/26", prefix: "81.2.69.64/26" });
    expect(placed).not.toHaveProperty("database");
    expect(geo.explain(client("10.0.0.1"))).toEqual({ location: { layer: "none" }, prefix: "0.0.0.0/2" });
    expect(valueOf(geo, "geoip_lookups_total", { layer: "city" })).toBe(0);
  });
});

describe("another thread", () => {
  it("locates by a posted snapshot, keeps what it decoded, and hands its counts back", async () => {
    const geo = await openCity(LONDON_FILE, writeMmdb({ family: 6, records: { "2001:db8::/32": TOKYO } }));
    let changes = 0;
    const forget = geo.onChange(() => changes++);
    const counts = newLookupCounts();
    const removeCounts = geo.addCounts(counts);
    const locator = new Locator(posted(geo), counts);
    const before = locator.locate(client("81.2.69.1"));
    expect(before).toEqual(
      geo.explain(client("81.2.69.1")) && { location: before.location, prefixLength: 24 },
    );
    geo.setPlaces([place("192.0.2.0/24")]);
    expect(changes).toBe(1);
    locator.replace(posted(geo));
    expect(locator.locate(client("81.2.69.1")).location).toBe(before.location);
    expect(locator.locate(client("192.0.2.1")).location.layer).toBe("places");
    expect(valueOf(geo, "geoip_lookups_total", { layer: "city" })).toBe(2);
    removeCounts();
    expect(valueOf(geo, "geoip_lookups_total", { layer: "city" })).toBe(2);
    forget();
    geo.setPlaces([]);
    expect(changes).toBe(1);
  });
});

/** As it arrives in another thread: shared memory is shared, everything else is another copy. */
function posted(geo: Geo): ReturnType<Geo["snapshot"]> {
  return structuredClone(geo.snapshot());
}

describe("cities", () => {
  it("may have any coordinates on the globe", async () => {
    const corners = [
      [89.5, 179.5],
      [-89.5, -179.5],
    ] as const;
    for (const [latitude, longitude] of corners) {
      const geo = await openCity(
        writeMmdb({ records: { "10.0.0.0/8": cityRecord("Far", "AQ", latitude, longitude) } }),
      );
      expect(geo.locate(client("10.0.0.1")).location.latitude).toBeCloseTo(latitude, 3);
      expect(geo.locate(client("10.0.0.1")).location.longitude).toBeCloseTo(longitude, 3);
    }
  });
});
