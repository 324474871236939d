import { appendFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SERVICES, ZONE, ZONES } from "./fixture.ts";
import { longName, nameOctets, opt, option, query, record, subnet, TYPES } from "./packets.ts";

/** Packets that once led to a reply of a kind not seen before, as hexadecimal lines. */
const FOUND = join(import.meta.dirname, "corpus.hex");

/** Where mutations start from: well-formed packets of every kind, and what earlier runs found. */
export function readCorpus(): Uint8Array[] {
  const found = readFileSync(FOUND, "latin1").split("\n");
  return [...seeds(), ...found.filter((line) => line !== "").map((line) => Buffer.from(line, "hex"))];
}

/** For good: the file is part of the repository. */
export function addToCorpus(packet: Uint8Array): void {
  appendFileSync(FOUND, `${Buffer.from(packet).toString("hex")}\n`);
}

/** Every file below a folder is one packet: the corpora that others publish. */
export function readPackets(folder: string): Uint8Array[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)).subarray(0, 65_535));
}

function seeds(): Uint8Array[] {
  const names = [
    ...ZONES.flatMap(({ records }) => records.map(({ name }) => name.replace("*", "star"))),
    ...SERVICES.flatMap(({ hostnames }) => hostnames.map((name) => name.replace("*", "star"))),
    ZONE,
    "",
    "com",
    longName(255, ZONE),
  ];
  const cookie = option(10, [1, 2, 3, 4, 5, 6, 7, 8]);
  const edns = [
    {},
    { options: [cookie] },
    { options: [subnet(1, 24, [198, 51, 100])] },
    { options: [subnet(2, 48, [0x20, 1, 0xd, 0xb8, 0, 1]), cookie], flags: 0x8000 },
    { options: [option(3), option(11, [0, 10]), option(12, [0, 0, 0])], size: 4096 },
    { version: 1 },
  ];
  const ofNames = [...new Set(names)].map((name, i) =>
    query({ name, type: Object.values(TYPES)[i % Object.values(TYPES).length] ?? 1 }),
  );
  const ofTypes = Object.values(TYPES).flatMap((type) =>
    [`static.${ZONE}`, `live.${ZONE}`, `alias.${ZONE}`].map((name) => query({ name, type, edns: {} })),
  );
  const ofEdns = edns.flatMap((one) =>
    [`live.${ZONE}`, `huge.${ZONE}`, `none.${ZONE}`].map((name) => query({ name, edns: one, flags: 0x0100 })),
  );
  const others = [
    query(),
    query({ edns: { options: [cookie] } }),
    query({ name: ZONE, records: [{ section: 1, octets: record([0], 1, [1, 2, 3, 4]) }] }),
    query({ name: ZONE, records: [{ section: 3, octets: opt() }], edns: {} }),
    query({ name: ZONE, records: [{ section: 3, octets: record([0], TYPES.TSIG, []) }] }),
    query({
      name: `live.${ZONE}`,
      records: [{ section: 3, octets: signature(nameOctets("key")) }],
      edns: {},
    }),
    query({
      name: `live.${ZONE}`,
      records: [{ section: 3, octets: signature([3, 0x6b, 0x65, 0x79, 0xc0, 12]) }],
    }),
    query({ name: ZONE, flags: 0x2000 }),
    query({ name: ZONE, class: 3, type: TYPES.TXT }),
    query({ name: `version.bind`, class: 3, type: TYPES.TXT }),
  ];
  return [...ofNames, ...ofTypes, ...ofEdns, ...others];
}

/** As of RFC 8945 4.2, by a key that nobody knows. */
function signature(key: readonly number[]): Uint8Array {
  const time = [0, 0, 0x65, 0x43, 0x21, 0, 1, 44];
  const data = [...nameOctets("hmac-sha256"), ...time, 0, 4, 1, 2, 3, 4, 0x12, 0x34, 0, 0, 0, 0];
  const octets = record(key, TYPES.TSIG, data);
  octets[key.length + 3] = 255; // CLASS
  return octets;
}
