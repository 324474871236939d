// Servers side by side, asked in turns.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { isInstalled, residentMiB } from "../lib/process.mjs";
import { progress } from "../lib/publish.mjs";
import { nearestSite } from "../lib/sites.mjs";
import { median } from "../lib/statistics.mjs";
import { connect } from "./client.mjs";
import { writeNestedDatabase } from "./nested-database.mjs";
import { EXISTING_NAMES } from "./questions.mjs";

/** @typedef {import("./peers/peer.ts").Peer} Peer */
/**
 * @typedef {import("./peers/peer.ts").RunningPeer & { peer: Peer, startSeconds: number, readyMiB: number }} Contender
 */
/** @typedef {import("./generator.mjs").Yield} Yield */

/** gdnsd compiles its tree first. */
const START_PATIENCE_MS = 60_000;

/** Those that can run here, and those that cannot. @param {readonly Peer[]} peers */
export function present(peers) {
  const there = peers.filter(({ program }) => program === undefined || isInstalled(program));
  const skipped = peers.filter((peer) => !there.includes(peer));
  const notes = skipped.map(
    (peer) => `${peer.name} is not installed and was left out (Debian: apt install ${peer.package}).`,
  );
  return { there, notes };
}

/**
 * @param {string} folder
 * @param {readonly import("../lib/sites.mjs").Site[]} sites
 * @returns {Promise<import("./peers/peer.ts").Circumstances>}
 */
export async function circumstancesIn(folder, sites) {
  progress("writing the city database in the layout of the peers");
  const database = join(folder, "city.mmdb");
  const { nearestByCountry } = await writeNestedDatabase(database);
  const [home] = sites;
  if (home === undefined) throw new Error("no sites");
  const siteByCountry = nearestByCountry((place) => nearestSite(place, sites) ?? home);
  return { folder, database, sites, siteByCountry };
}

/** @param {Peer} peer @param {import("./peers/peer.ts").Circumstances} circumstances @returns {Promise<Contender>} */
export async function started(peer, circumstances) {
  const folder = join(circumstances.folder, peer.name.replaceAll(/\W+/g, "-"));
  mkdirSync(folder);
  const startedMs = performance.now();
  const running = await peer.start({ ...circumstances, folder });
  const client = connect(running.port);
  const [name = ""] = EXISTING_NAMES;
  try {
    while ((await client.ask({ name, subnet: undefined })) === undefined)
      if (performance.now() - startedMs > START_PATIENCE_MS)
        throw new Error(`${peer.name} does not answer:\n${running.output()}`);
  } catch (error) {
    await running.stop();
    throw error;
  } finally {
    client.stop();
  }
  const startSeconds = (performance.now() - startedMs) / 1000;
  progress(`${peer.name} answers after ${startSeconds.toFixed(1)} s`);
  return { ...running, peer, startSeconds, readyMiB: residentMiB(running.pid) };
}

/**
 * Rounds take turns, so that whatever else the machine does befalls all alike. Ratios are to the first contender.
 * @param {import("./questions.mjs").Mix} mix
 * @param {readonly Contender[]} contenders
 * @param {import("./load.mjs").Load} load
 * @param {{ rounds: number, seconds: number, addresses: readonly string[], sockets?: number }} order `addresses`: those
 *   allowed; `sockets`: from how many it is asked, the generator's own number where left out
 */
export async function throughputTable(mix, contenders, load, { rounds, seconds, addresses, sockets }) {
  const from = sockets === undefined ? "" : `, from ${sockets} sockets`;
  /** @type {Map<Contender, Yield[]>} */
  const yields = new Map(contenders.map((contender) => [contender, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const [{ port, pid, peer, answeredOthers = () => 0 }, ofPeer] of yields) {
      const before = { answered: answeredOthers(), ms: performance.now() };
      const counted = await load.run({
        port,
        pid,
        mix,
        addresses,
        seconds,
        ...(sockets !== undefined && { sockets }),
      });
      const perMs = (answeredOthers() - before.answered) / (performance.now() - before.ms);
      const result = { ...counted, answers: counted.answers + Math.round(perMs * counted.seconds * 1000) };
      ofPeer.push(result);
      progress(
        `${mix}${from}, round ${round}, ${peer.name}: ${Math.round(perCpuSecond(result))} per CPU second, ${result.wrong} wrong, ${result.lost} lost`,
      );
    }
  }
  const [[first, ours] = []] = yields;
  return {
    /** Answers per second of wall clock when nothing but the server limits. */
    perSecond: new Map(
      [...yields].map(([contender, of]) => [contender, median(of.map((y) => y.answers / y.seconds))]),
    ),
    table: {
      title: `${titleOf(mix)}${from}: median of ${rounds} rounds of ${seconds} s in turns`,
      columns: [
        "server",
        "queries per CPU second",
        "lowest",
        "highest",
        `${first?.peer.name} ×`,
        "answers per second",
        "wrong",
        "lost",
      ],
      rows: [...yields].map(([contender, ofPeer]) => {
        const rates = ofPeer.map(perCpuSecond);
        const ratio = median((ours ?? []).map((our, i) => perCpuSecond(our) / (rates[i] ?? Number.NaN)));
        return [
          contender.peer.name,
          median(rates),
          Math.min(...rates),
          Math.max(...rates),
          contender === first ? "" : ratio,
          median(ofPeer.map(({ answers, seconds }) => answers / seconds)),
          total(ofPeer, "wrong"),
          total(ofPeer, "lost"),
        ];
      }),
    },
  };
}

/** @param {import("./questions.mjs").Mix} mix */
export function titleOf(mix) {
  switch (mix) {
    case "no subnet":
      return "One name, EDNS without a client subnet";
    case "one subnet":
      return "One name, always the same client subnet";
    case "one name":
      return "One name, 100,000 random client subnets";
    case "mostly one subnet":
      return "One name, always the same client subnet, and with every eighth query the mixture";
    case "mixture":
      return "200 names, a tenth of them not existing, 100,000 random client subnets";
  }
}

/** @param {Pick<Yield, "answers" | "serverCpuSeconds">} result */
export function perCpuSecond({ answers, serverCpuSeconds }) {
  return answers / serverCpuSeconds;
}

/** @param {readonly Pick<Yield, "wrong" | "lost">[]} yields @param {"wrong" | "lost"} key */
export function total(yields, key) {
  return yields.reduce((sum, each) => sum + each[key], 0);
}
