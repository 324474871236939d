// npm run bench -- dns [--rounds=5] [--seconds=3] [--only=gdnsd,…] [--tcp]
import { openGeo } from "../../dist/geo/geo.js";
import { option } from "../lib/option.mjs";
import { inScratch, PINNING_NOTE, residentMiB, untilQuiet } from "../lib/process.mjs";
import { progress, publish } from "../lib/publish.mjs";
import { SITES } from "../lib/sites.mjs";
import { median } from "../lib/statistics.mjs";
import { stolenNotes, undisturbed } from "../lib/stolen.mjs";
import { CACHED_SUBNETS, cacheEntries } from "./cache-entries.mjs";
import { connect } from "./client.mjs";
import { circumstancesIn, perCpuSecond, present, started, throughputTable, total } from "./contest.mjs";
import { startLoad, startTcpLoad } from "./load.mjs";
import { edgeward } from "./peers/edgeward.mjs";
import { gdnsd } from "./peers/gdnsd.mjs";
import { knot } from "./peers/knot.mjs";
import { powerdns } from "./peers/powerdns.mjs";
import { MIXES } from "./questions.mjs";
import { truthOf } from "./truth.mjs";

/** @typedef {import("./contest.mjs").Contender} Contender */
/** @typedef {import("./generator.mjs").Yield} Yield */

/** As resolvers ask, each time from another port: next to no two queries of a batch are from one. */
const MANY_SOCKETS = 256;
const ROUNDS = option("rounds", 5);
const SECONDS = option("seconds", 3);
const ONLY = process.argv
  .find((arg) => arg.startsWith("--only="))
  ?.slice("--only=".length)
  .split(",");
const PEERS = [edgeward, gdnsd, knot, powerdns].filter(
  (peer) => peer === edgeward || ONLY === undefined || ONLY.includes(peer.name.toLowerCase()),
);
/** Nothing but TCP. */
const IS_TCP_ONLY = process.argv.includes("--tcp");
/** @type {readonly (readonly [import("./tcp-generator.mjs").TcpManner, string])[]} */
const TCP_MANNERS = [
  ["pipelined", "TCP, one connection for all queries"],
  ["one each", "TCP, one connection for each query"],
];
const LATENCY_SHARE = 0.5;
const ADDRESSES = SITES.flatMap(({ addresses }) => addresses);

await inScratch(async (folder) => {
  const { there, notes } = present(PEERS);
  /** @type {Contender[]} */
  const contenders = [];
  const load = await startLoad();
  const tcpLoad = await startTcpLoad();
  try {
    const circumstances = await circumstancesIn(folder, SITES);
    for (const peer of there) contenders.push(await started(peer, circumstances));
    // They may answer before they have done all that they do once: edgeward surveys its database.
    for (const { pid } of contenders) await untilQuiet(pid);
    publish(await findings(contenders, { load, tcpLoad }, notes));
  } finally {
    await load.stop();
    await tcpLoad.stop();
    for (const { stop } of contenders) await stop();
  }
});

/**
 * @param {readonly Contender[]} contenders
 * @param {{ load: import("./load.mjs").Load, tcpLoad: import("./load.mjs").TcpLoad }} loads
 * @param {readonly string[]} notes
 */
async function findings(contenders, { load, tcpLoad }, notes) {
  return {
    bench: "dns",
    question:
      "How many queries does a CPU second answer, beside other servers with the same sites and database?",
    tables: IS_TCP_ONLY
      ? await tcpTables(contenders, tcpLoad)
      : await allTables(contenders, { load, tcpLoad }),
    notes: [
      PINNING_NOTE,
      ...stolenNotes(),
      "Server CPU: user and system time of all threads of the process. Wrong: answers without the id, the name, AA and two addresses of the sites (or NXDOMAIN) asked for.",
      ...notes,
    ],
  };
}

/**
 * @param {readonly Contender[]} contenders
 * @param {{ load: import("./load.mjs").Load, tcpLoad: import("./load.mjs").TcpLoad }} loads
 */
async function allTables(contenders, { load, tcpLoad }) {
  const truth = await truthTable(contenders);
  const order = { rounds: ROUNDS, seconds: SECONDS, addresses: ADDRESSES };
  const throughput = [];
  for (const mix of MIXES) throughput.push(await throughputTable(mix, contenders, load, order));
  const fromMany = [];
  for (const mix of /** @type {const} */ (["one subnet", "mixture"]))
    fromMany.push(await throughputTable(mix, contenders, load, { ...order, sockets: MANY_SOCKETS }));
  return [
    ...[...throughput, ...fromMany].map(({ table }) => table),
    ...(await tcpTables(contenders, tcpLoad)),
    await latencyTable(contenders, load, throughput.at(-1)?.perSecond ?? new Map()),
    truth,
  ];
}

/** @param {readonly Contender[]} contenders @param {import("./load.mjs").TcpLoad} load */
async function tcpTables(contenders, load) {
  const tables = [];
  for (const [manner, title] of TCP_MANNERS) {
    /** @type {Map<Contender, import("./tcp-generator.mjs").TcpYield[]>} */
    const yields = new Map(contenders.map((contender) => [contender, []]));
    for (let round = 1; round <= ROUNDS; round++)
      for (const [{ port, pid, peer }, ofPeer] of yields) {
        const result = await load.run({ port, pid, mix: "one subnet", manner, seconds: SECONDS });
        ofPeer.push(result);
        progress(
          `TCP, ${manner}, round ${round}, ${peer.name}: ${Math.round(perCpuSecond(result))} per CPU second, ${result.wrong} wrong, ${result.lost} lost`,
        );
      }
    tables.push({
      title: `${title}: median of ${ROUNDS} rounds of ${SECONDS} s in turns`,
      columns: [
        "server",
        "queries per CPU second",
        "lowest",
        "highest",
        "answers per second",
        "wrong",
        "lost",
      ],
      rows: [...yields].map(([{ peer }, ofPeer]) => {
        const rates = ofPeer.map(perCpuSecond);
        const perSecond = median(ofPeer.map(({ answers, seconds }) => answers / seconds));
        const [wrong, lost] = [total(ofPeer, "wrong"), total(ofPeer, "lost")];
        return [peer.name, median(rates), Math.min(...rates), Math.max(...rates), perSecond, wrong, lost];
      }),
    });
  }
  return tables;
}

/**
 * Each at half of what it can.
 * @param {readonly Contender[]} contenders
 * @param {import("./load.mjs").Load} load
 * @param {ReadonlyMap<Contender, number>} perSecond
 */
async function latencyTable(contenders, load, perSecond) {
  const rows = [];
  for (const contender of contenders) {
    const { port, pid, peer, startSeconds, readyMiB } = contender;
    const pace = Math.round((perSecond.get(contender) ?? 0) * LATENCY_SHARE);
    /** @type {Yield[]} */
    const rounds = [];
    for (let round = 1; round <= ROUNDS; round++)
      rounds.push(
        await undisturbed(() => load.run({ port, pid, mix: "mixture", seconds: SECONDS, perSecond: pace })),
      );
    const p50 = median(rounds.map(({ p50Ms }) => p50Ms));
    const p99 = median(rounds.map(({ p99Ms }) => p99Ms));
    progress(`${peer.name} at ${pace} per second: p50 ${p50.toFixed(3)} ms, p99 ${p99.toFixed(3)} ms`);
    const heldUp = Math.max(...rounds.map(({ heldUpMs }) => heldUpMs));
    rows.push([
      peer.name,
      pace,
      p50,
      p99,
      total(rounds, "lost"),
      heldUp,
      startSeconds,
      readyMiB,
      residentMiB(pid),
    ]);
  }
  return {
    title: "The mixture at half of what each server answers; start and memory",
    columns: [
      "server",
      "queries per second",
      "p50 ms",
      "p99 ms",
      "lost",
      "generator held up ms",
      "start s",
      "MiB at start",
      "MiB at the end",
    ],
    rows,
  };
}

/** @param {readonly Contender[]} contenders */
async function truthTable(contenders) {
  const silent = { info() {}, warn: console.warn, error: console.error };
  const geo = await openGeo({ files: { city: [], asn: [] }, places: [], log: silent });
  const locate = (/** @type {readonly [number, number, number]} */ subnet) =>
    geo.locate({
      address: { family: 4, bytes: Uint8Array.from([...subnet, 0]) },
      prefixLength: 24,
      from: "client-subnet",
    }).location;
  const rows = [];
  for (const { peer, port } of contenders) {
    const client = connect(port);
    const { wrong, nearestPercent } = await truthOf(client, locate, SITES);
    rows.push([peer.name, peer.locatesBy, wrong, nearestPercent, await cacheEntries(client)]);
    client.stop();
    progress(`${peer.name}: ${wrong} wrong, ${nearestPercent.toFixed(1)} % at the nearest site`);
  }
  geo.stop();
  return {
    title: `Where viewers are sent, and what a caching resolver has to hold for ${CACHED_SUBNETS.toLocaleString("en-US")} random /24s`,
    columns: ["server", "sites by", "wrong", "% at the nearest site", "cache entries"],
    rows,
  };
}
