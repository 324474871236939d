// npm run bench -- http [--rounds=5] [--seconds=3] [--kinds=keep-alive,…]
import { mkdirSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { inScratch, isInstalled, PINNING_NOTE, residentMiB, untilQuiet } from "../lib/process.mjs";
import { progress, publish } from "../lib/publish.mjs";
import { median } from "../lib/statistics.mjs";
import { checkManifest, checkRedirect, checkSample, checkWhile } from "./answers.mjs";
import { makeCertificate } from "./certificate.mjs";
import { idleMemory } from "./idle.mjs";
import { GENERATOR, KINDS, POSSIBLE_KINDS, run, STEERING_KIND, TLS_KIND } from "./load.mjs";
import { edgeward } from "./peers/edgeward.mjs";
import { nginx } from "./peers/nginx.mjs";
import { CAN_PACE, connectTls, delays } from "./h2load.mjs";

/** @typedef {import("./peers/peer.ts").RunningPeer & { name: string, folder: string }} Contender */
/** @typedef {import("./load.mjs").Kind} Kind */

const HOSTNAME = "live.cdn.example.net";
const ROUNDS = option("rounds", 5);
const SECONDS = option("seconds", 3);
const SAMPLE = 200;
const DELAY_SECONDS = Math.max(4, SECONDS);
/** A second of requests leaves little of what serves TLS compiled. */
const TLS_WARM_UP_SECONDS = 10;
/** Those named, by how they begin; left out: all, and what follows them. */
const ONLY = process.argv
  .find((arg) => arg.startsWith("--kinds="))
  ?.slice("--kinds=".length)
  .split(",");

await inScratch(async (folder) => {
  const peers = [edgeward, nginx];
  const missing = [
    ...peers.flatMap((peer) => peer.missing() ?? []),
    ...(isInstalled("openssl") ? [] : ["openssl, for TLS"]),
    ...(CAN_PACE ? [] : ["h2load (Debian: apt install nghttp2-client), for TLS and delays"]),
  ];
  const certificate = makeCertificate(folder, HOSTNAME);
  /** @type {Contender[]} */
  const contenders = [];
  try {
    for (const peer of peers.filter((peer) => peer.missing() === undefined)) {
      const own = join(folder, peer.name);
      mkdirSync(own);
      const running = await peer.start({ folder: own, hostname: HOSTNAME, certificate });
      contenders.push({ ...running, name: peer.name, folder: own });
    }
    for (const contender of contenders) {
      await untilQuiet(contender.pid);
      await checkSample(contender.name, doorOf(contender), checkRedirect, SAMPLE);
    }
    publish({
      bench: "http",
      question:
        "How many redirects does a CPU second send, beside nginx with a country map over the same database?",
      tables: await tablesFor(contenders),
      notes: [
        PINNING_NOTE,
        `Load by ${GENERATOR}, where every request carries another viewer in X-Forwarded-For; of TLS, and at a steady rate, by h2load, which takes no session up again. Server CPU: user and system time of the serving process.`,
        `Load average at the end: ${loadavg()
          .map((each) => each.toFixed(1))
          .join(", ")}.`,
        ...KINDS.filter((kind) => !POSSIBLE_KINDS.includes(kind)).map(
          (kind) => `Left out: ${kind}, which takes wrk or h2load (Debian: apt install wrk nghttp2-client).`,
        ),
        ...missing.map((what) => `Left out, because it is not installed: ${what}.`),
      ],
    });
  } finally {
    for (const { stop } of contenders) await stop();
  }
});

/** @param {readonly Contender[]} contenders */
async function tablesFor(contenders) {
  const tables = [];
  const kinds = POSSIBLE_KINDS.filter((kind) => ONLY?.some((start) => kind.startsWith(start)) ?? true);
  /** Requests per second with keep-alive. @type {Map<Contender, number>} */
  let rates = new Map();
  for (const kind of kinds) {
    const yields = await measured(kind, kind === STEERING_KIND ? contenders.slice(0, 1) : contenders);
    tables.push(throughputTable(kind, yields));
    if (kind === "keep-alive")
      rates = new Map(
        [...yields].map(([contender, of]) => [contender, median(of.map(({ perSecond }) => perSecond))]),
      );
  }
  if (ONLY !== undefined) return tables;
  tables.push(await idleTable(contenders));
  if (CAN_PACE) tables.push(await reloadTable(rates));
  return tables;
}

/** @param {Contender} contender */
function doorOf({ port }) {
  return { port, hostname: HOSTNAME };
}

/** @param {Contender} contender */
async function warmUpTls({ httpsPort, folder }) {
  await connectTls({ port: httpsPort, hostname: HOSTNAME, folder, seconds: TLS_WARM_UP_SECONDS });
}

/** Contenders in turns; round 0 warms up. @param {Kind} kind @param {readonly Contender[]} contenders */
async function measured(kind, contenders) {
  /** @type {Map<Contender, import("./load.mjs").Yield[]>} */
  const yields = new Map(contenders.map((contender) => [contender, []]));
  const check = kind === STEERING_KIND ? checkManifest : checkRedirect;
  if (kind === TLS_KIND) for (const contender of contenders) await warmUpTls(contender);
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [contender, ofPeer] of yields) {
      const { name, port, httpsPort, pid, folder } = contender;
      const door =
        kind === TLS_KIND ? { port: httpsPort, hostname: HOSTNAME, isTls: true } : doorOf(contender);
      const order = { kind, port, httpsPort, pid, folder, hostname: HOSTNAME, seconds: SECONDS };
      const result = await checkWhile(name, door, check, () => run(order));
      if (round === 0) continue;
      ofPeer.push(result);
      progress(
        `${kind}, round ${round}, ${name}: ${Math.round(perCpuSecond(result))} per CPU second, ${result.failed} failed`,
      );
    }
  }
  return yields;
}

/** @param {Kind} kind @param {Map<Contender, import("./load.mjs").Yield[]>} yields */
function throughputTable(kind, yields) {
  const [ours = []] = yields.values();
  return {
    title: `${kind}: median of ${ROUNDS} rounds of ${SECONDS} s in turns`,
    columns: [
      "server",
      "requests per CPU second",
      "lowest",
      "highest",
      "edgeward ×",
      "requests per second",
      "p99 ms",
      "failed",
      "MiB",
    ],
    rows: [...yields].map(([{ name, pid }, ofPeer]) => {
      const rates = ofPeer.map(perCpuSecond);
      const ratio = median(ours.map((our, i) => perCpuSecond(our) / (rates[i] ?? Number.NaN)));
      return [
        name,
        median(rates),
        Math.min(...rates),
        Math.max(...rates),
        name === edgeward.name ? "" : ratio,
        median(ofPeer.map(({ perSecond }) => perSecond)),
        median(ofPeer.map(({ p99Ms }) => p99Ms)),
        ofPeer.reduce((sum, { failed }) => sum + failed, 0),
        residentMiB(pid),
      ];
    }),
  };
}

/** @param {readonly Contender[]} contenders */
async function idleTable(contenders) {
  const rows = [];
  for (const contender of contenders) {
    const { open, beforeMiB, withMiB, kibEach } = await idleMemory(contender, HOSTNAME);
    rows.push([contender.name, open, beforeMiB, withMiB, kibEach]);
  }
  return {
    title: "10,000 connections that have been answered once and are idle",
    columns: ["server", "open", "MiB before", "MiB with them", "KiB each"],
    rows,
  };
}

/** nginx last, whose worker is another one afterwards. @param {Map<Contender, number>} rates */
async function reloadTable(rates) {
  const rows = [];
  for (const [{ name, port, folder, reload, reloads }, rate] of rates) {
    const order = { port, folder, hostname: HOSTNAME, perSecond: rate / 2, seconds: DELAY_SECONDS };
    for (const isReloaded of [false, true]) {
      const before = reloads();
      const found = [];
      for (let round = 0; round < ROUNDS; round++)
        found.push(await delays({ ...order, reload: isReloaded ? reload : undefined }));
      rows.push([
        name,
        isReloaded ? `${reloads() - before} reloads` : "none",
        rate / 2,
        median(found.map(({ p50Ms }) => p50Ms)),
        median(found.map(({ p99Ms }) => p99Ms)),
        Math.max(...found.map(({ p99Ms }) => p99Ms)),
        found.reduce((sum, { failed }) => sum + failed, 0),
      ]);
    }
  }
  return {
    title: `Delays at half of what was reached with keep-alive, with an edited configuration read in each of ${ROUNDS} rounds of ${DELAY_SECONDS} s, and without`,
    columns: ["server", "reload", "requests per second", "p50 ms", "p99 ms", "p99 ms, highest", "failed"],
    rows,
  };
}

/** @param {import("./load.mjs").Yield} result */
function perCpuSecond({ requests, serverCpuSeconds }) {
  return requests / serverCpuSeconds;
}

/** @param {string} name @param {number} standard */
function option(name, standard) {
  const given = process.argv.find((arg) => arg.startsWith(`--${name}=`));
  return given === undefined ? standard : Number(given.slice(name.length + 3));
}
