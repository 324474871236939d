import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openGeo } from "../../src/geo/geo.ts";
import { check } from "../../src/commands/check.ts";
import { LONDON, memoryLog } from "../geo/clients.ts";
import { writeMmdb } from "../geo/mmdb-writer.ts";

const REFERENCE = readFileSync(join(import.meta.dirname, "../../config/edgeward.yaml"), "utf8");
const LONDON_FILE = writeMmdb({ records: { "81.2.69.0/24": LONDON } });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "check-databases-"));
  mkdirSync(join(folder, "a-folder.mmdb"));
  writeFileSync(join(folder, "london.mmdb"), LONDON_FILE);
  writeFileSync(join(folder, "cut.mmdb"), LONDON_FILE.subarray(0, LONDON_FILE.length / 2));
  writeFileSync(join(folder, "nothing.mmdb"), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

function configured(geoip: string): string {
  const file = join(folder, "edgeward.yaml");
  writeFileSync(file, REFERENCE.replace(/^geoip:\n(?: .*\n)+/m, geoip));
  return file;
}

const GEOIP = `geoip:
  city:
    - missing.mmdb
    - cut.mmdb
    - london.mmdb
    - a-folder.mmdb
  asn: [london.mmdb, nothing.mmdb]
`;

it("databases that a service starts without are noted with their place, and are no problem", async () => {
  const file = configured(GEOIP);
  const { problems, notes = [], summary } = await check(file);
  expect([problems, summary]).toEqual([[], "3 edges, 2 services, 1 zone"]);
  const first = REFERENCE.split("\n").indexOf("geoip:") + 3;
  const noted = notes.map(({ line, column, path, message }) => {
    expect(message).toMatch(/; edgeward starts all the same, and locates viewers without it$/);
    return [line, column, path, /^(.+) is not used \((.+?)\): /.exec(message)?.slice(1)];
  });
  const at = (name: string, reason: string): string[] => [join(folder, name), reason];
  expect(noted).toEqual([
    [first, 7, "geoip.city.0", at("missing.mmdb", "absent")],
    [first + 1, 7, "geoip.city.1", at("cut.mmdb", "no-metadata")],
    [first + 3, 7, "geoip.city.3", at("a-folder.mmdb", "unreadable")],
    [first + 4, 9, "geoip.asn.0", at("london.mmdb", "wrong-kind")],
    [first + 4, 22, "geoip.asn.1", at("nothing.mmdb", "empty-file")],
  ]);
});

it("a service says the same of them, and starts", async () => {
  const { notes = [] } = await check(configured(GEOIP));
  const log = memoryLog();
  const files = ["missing", "cut", "london", "a-folder", "nothing"].map((name) =>
    join(folder, `${name}.mmdb`),
  );
  const geo = await openGeo({
    files: { city: files.slice(0, 4), asn: files.slice(2, 5).toSpliced(1, 1) },
    places: [],
    log,
  });
  geo.stop();
  const refused = log.lines.filter(({ level }) => level === "error").map(({ fields }) => fields);
  expect(refused.map(({ file, reason }) => `${String(file)} is not used (${String(reason)})`)).toEqual(
    notes.map(({ message }) => message.split(":")[0]),
  );
});

it("sound ones, and those that come with edgeward, need no word", async () => {
  copyFileSync(join(folder, "london.mmdb"), join(folder, "other.mmdb"));
  for (const geoip of ["geoip: { city: [london.mmdb, other.mmdb] }\n", "geoip: {}\n"])
    expect(await check(configured(geoip))).not.toHaveProperty("notes");
});
