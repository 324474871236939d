// How many clients a CPU second locates: random IPv4 /24s and IPv6 /48s, packaged databases, with
// and without 10,000 places. Usage: npm run build && node bench/geo.mjs

import { openGeo } from "../dist/geo/geo.js";
import { placeTable } from "../dist/geo/places.js";
import { randomFrom } from "./lib/random.mjs";

const CLIENTS = 200_000;
const ROUNDS = 10;
const silent = { info() {}, warn: console.warn, error: console.error };

const before = process.memoryUsage().rss;
const started = performance.now();
const geo = await openGeo({ files: { city: [], asn: [] }, places: [], log: silent });
console.log(`opened in ${Math.round(performance.now() - started)} ms, RSS +${megabytes(before)} MB`);

const random = randomFrom(1);
const ipv4 = Array.from({ length: CLIENTS }, () =>
  client(4, [1 + (random() % 223), random(), random(), 0], 24),
);
const ipv6 = Array.from({ length: CLIENTS }, () => client(6, ipv6Bytes(), 48));
const places = Array.from({ length: 10_000 }, () => place([1 + (random() % 223), random(), random(), 0], 24));

report("IPv4, first sight", 1, ipv4);
report("IPv4", ROUNDS, ipv4);
report("IPv6, first sight", 1, ipv6);
report("IPv6", ROUNDS, ipv6);
const building = performance.now();
placeTable(places);
console.log(`10,000 places built in ${(performance.now() - building).toFixed(1)} ms`);
geo.setPlaces(places);
report("IPv4 with 10,000 places", ROUNDS, ipv4);
console.log(`RSS +${megabytes(before)} MB with what was decoded`);
geo.stop();

function report(name, rounds, clients) {
  const cpu = process.cpuUsage();
  let located = 0;
  for (let round = 0; round < rounds; round++)
    for (const c of clients) if (geo.locate(c).location.layer !== "none") located++;
  const { user, system } = process.cpuUsage(cpu);
  const count = rounds * clients.length;
  const perSecond = Math.round((count / (user + system)) * 1e6);
  const nanoseconds = Math.round(((user + system) * 1000) / count);
  const share = Math.round((100 * located) / count);
  console.log(`${name}: ${perSecond} per CPU second (${nanoseconds} ns each), ${share} % located`);
}

function client(family, bytes, prefixLength) {
  return { address: { family, bytes: Uint8Array.from(bytes) }, prefixLength, from: "client-subnet" };
}

function place(bytes, length) {
  return { prefix: { family: 4, bytes: Uint8Array.from(bytes), length }, latitude: 1, longitude: 1 };
}

/** Inside the blocks that registries hand out. */
function ipv6Bytes() {
  const blocks = [0x2001, 0x2400, 0x2600, 0x2800, 0x2a00, 0x2a02];
  const block = blocks[random() % blocks.length];
  return [block >> 8, block & 0xff, random(), random(), random(), random(), ...new Uint8Array(10)];
}

function megabytes(since) {
  return Math.round((process.memoryUsage().rss - since) / 2 ** 20);
}
