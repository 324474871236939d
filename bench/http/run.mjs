// npm run bench -- http [--rounds=5] [--seconds=3]
import { mkdirSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { inScratch, PINNING_NOTE, residentMiB } from "../lib/process.mjs";
import { progress, publish } from "../lib/publish.mjs";
import { SITES } from "../lib/sites.mjs";
import { median } from "../lib/statistics.mjs";
import { GENERATOR, KINDS, POSSIBLE_KINDS, run, viewers } from "./load.mjs";
import { edgeward } from "./peers/edgeward.mjs";
import { nginx } from "./peers/nginx.mjs";

/** @typedef {import("./peers/peer.ts").RunningPeer & { name: string, folder: string }} Contender */

const HOSTNAME = "live.cdn.example.net";
const ROUNDS = option("rounds", 5);
const SECONDS = option("seconds", 3);
const SAMPLE = 200;

await inScratch(async (folder) => {
  const peers = [edgeward, nginx];
  const missing = peers.flatMap((peer) => peer.missing() ?? []);
  /** @type {Contender[]} */
  const contenders = [];
  try {
    for (const peer of peers.filter((peer) => peer.missing() === undefined)) {
      const own = join(folder, peer.name);
      mkdirSync(own);
      contenders.push({
        ...(await peer.start({ folder: own, hostname: HOSTNAME })),
        name: peer.name,
        folder: own,
      });
    }
    for (const contender of contenders) await checkAnswers(contender);
    const tables = [];
    for (const kind of POSSIBLE_KINDS) tables.push(await throughputTable(kind, contenders));
    publish({
      bench: "http",
      question:
        "How many redirects does a CPU second send, beside nginx with a country map over the same database?",
      tables,
      notes: [
        PINNING_NOTE,
        `Load by ${GENERATOR}; every request carries another viewer in X-Forwarded-For. Server CPU: user and system time of the serving process.`,
        ...KINDS.filter((kind) => !POSSIBLE_KINDS.includes(kind)).map(
          (kind) => `Left out: ${kind}, which takes wrk (Debian: apt install wrk).`,
        ),
        ...missing.map((what) => `Left out, because it is not installed: ${what}.`),
      ],
    });
  } finally {
    for (const { stop } of contenders) await stop();
  }
});

/**
 * @param {import("./load.mjs").Kind} kind
 * @param {readonly Contender[]} contenders
 */
async function throughputTable(kind, contenders) {
  /** @type {Map<Contender, import("./load.mjs").Yield[]>} */
  const yields = new Map(contenders.map((contender) => [contender, []]));
  // Round 0 warms up.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [{ name, port, pid, folder }, ofPeer] of yields) {
      const result = await run({ kind, port, pid, folder, hostname: HOSTNAME, seconds: SECONDS });
      if (round === 0) continue;
      ofPeer.push(result);
      progress(
        `${kind}, round ${round}, ${name}: ${Math.round(perCpuSecond(result))} per CPU second, ${result.failed} failed`,
      );
    }
  }
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

/** Throws unless every sampled viewer gets a redirect to a site, with path and query. @param {Contender} contender */
async function checkAnswers({ name, port }) {
  const path = "/live/channel1/index.m3u8?token=abc";
  const expected = new Set(SITES.map(({ url }) => url + path));
  for (const viewer of viewers().slice(0, SAMPLE)) {
    const { status, location } = await ask(port, path, viewer);
    if (status !== 302 || !expected.has(location ?? ""))
      throw new Error(`${name} sends ${viewer} status ${status} and Location ${location}`);
  }
}

/** @param {number} port @param {string} path @param {string} viewer @returns {Promise<{ status: number | undefined, location: string | undefined }>} */
function ask(port, path, viewer) {
  const headers = { host: HOSTNAME, "x-forwarded-for": viewer };
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path, headers, agent: false }, (response) => {
      response.resume();
      resolve({ status: response.statusCode, location: response.headers.location });
    }).on("error", reject);
  });
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
