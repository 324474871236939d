// npm run bench -- dns-live [--rounds=5] [--seconds=5] [--settle=240]
import { startEdgeward } from "../lib/edgeward.mjs";
import { option } from "../lib/option.mjs";
import { inScratch, PINNING_NOTE, untilQuiet } from "../lib/process.mjs";
import { progress, publish } from "../lib/publish.mjs";
import { sitesIn } from "../lib/sites.mjs";
import { CITIES } from "../selection/cities.mjs";
import { gather } from "./audience.mjs";
import { circumstancesIn, present, started, throughputTable } from "./contest.mjs";
import { startLoad } from "./load.mjs";
import { edgeward } from "./peers/edgeward.mjs";
import { gdnsd } from "./peers/gdnsd.mjs";
import { knot } from "./peers/knot.mjs";
import { EXISTING_NAMES } from "./questions.mjs";

const ROUNDS = option("rounds", 5);
const SECONDS = option("seconds", 5);
/** How long the audience watches before anything is measured: the program has to have seen for a while who comes. */
const SETTLE_SECONDS = option("settle", 240);
const SITES = sitesIn(
  CITIES.map(({ location: { latitude = 0, longitude = 0 } }) => ({ latitude, longitude })),
  50,
);
const ADDRESSES = SITES.flatMap(({ addresses }) => addresses);
/** With fewer edges priced there is nothing to measure. */
const EDGES_PRICED = 10;

/** @type {import("./audience.mjs").Audience | undefined} */
let audience;

/** With reports of viewers, and so with prices. @type {import("./peers/peer.ts").Peer} */
const priced = {
  ...edgeward,
  name: "edgeward, live prices",
  async start({ folder, sites }) {
    const edges = Object.fromEntries(
      sites.map(({ id, latitude, longitude, addresses, url }) => [
        id,
        {
          location: { latitude, longitude },
          addresses,
          url,
          probe: { type: "none" },
          load: { type: "push", staleAfter: "60s" },
        },
      ]),
    );
    const { child, ports } = await startEdgeward(folder, { hostnames: EXISTING_NAMES, more: { edges } });
    audience = gather(ports, sites);
    const answeredOthers = () => audience?.answered() ?? 0;
    return { pid: child.pid, port: ports.dns, stop: child.stop, output: child.output, answeredOthers };
  },
};

await inScratch(async (folder) => {
  const { there, notes } = present([
    priced,
    { ...edgeward, name: "edgeward, nobody reports" },
    { ...gdnsd, name: "gdnsd, static" },
    { ...knot, name: "Knot, static, by country" },
  ]);
  /** @type {import("./contest.mjs").Contender[]} */
  const contenders = [];
  const load = await startLoad();
  try {
    const circumstances = await circumstancesIn(folder, SITES);
    for (const peer of there) contenders.push(await started(peer, circumstances));
    for (const { pid, peer } of contenders) if (peer !== priced) await untilQuiet(pid);
    await settle();
    const order = { rounds: ROUNDS, seconds: SECONDS, addresses: ADDRESSES };
    const tables = [];
    for (const mix of /** @type {const} */ (["one subnet", "mostly one subnet", "mixture"])) {
      const from = audience?.seconds().length ?? 0;
      const { table } = await throughputTable(mix, contenders, load, order);
      tables.push(table, pricesTable(mix, from));
    }
    publish({
      bench: "dns-live",
      question: "How many queries does a CPU second answer with 50 edges, whose prices move meanwhile?",
      tables,
      notes: [
        PINNING_NOTE,
        "Wrong: answers without the id, the name, AA and two addresses of the 50 sites (or NXDOMAIN). The CPU time of edgeward with live prices has the reports, the prices and a reading of the metrics each second in it, and its answers have those to the audience's resolvers.",
        ...notes,
      ],
    });
  } finally {
    await audience?.stop();
    await load.stop();
    for (const { stop } of contenders) await stop();
  }
});

async function settle() {
  let watched = 0;
  while (watched < SETTLE_SECONDS) {
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    const seconds = audience?.seconds() ?? [];
    watched = seconds.length;
    const { priced, filling, meanKm, moved } = seconds.at(-1) ?? NOTHING;
    progress(
      `after ${watched} s: ${priced} of ${SITES.length} edges have a price, ${meanKm.toFixed(0)} km on average, ${moved} of which moved; ${filling} are about to be full`,
    );
  }
  if ((audience?.seconds().at(-1)?.priced ?? 0) < EDGES_PRICED)
    throw new Error("too few edges have a price: there is nothing to measure");
}

const NOTHING = { priced: 0, moved: 0, meanKm: 0, filling: 0 };

/** What the prices did meanwhile. @param {string} mix @param {number} from second */
function pricesTable(mix, from) {
  const seconds = audience?.seconds().slice(from) ?? [];
  const mean = (/** @type {(second: import("./audience.mjs").Second) => number} */ of) =>
    seconds.reduce((sum, second) => sum + of(second), 0) / seconds.length;
  return {
    title: `Prices in the ${seconds.length} seconds of these rounds: ${mix}`,
    columns: [
      "edges with a price",
      "mean price km",
      "prices that moved per second",
      "seconds in which none did",
      "edges about to be full",
      "edges overfull",
    ],
    rows: [
      [
        mean(({ priced }) => priced),
        mean(({ meanKm }) => meanKm),
        mean(({ moved }) => moved),
        seconds.filter(({ moved }) => moved === 0).length,
        mean(({ filling }) => filling),
        mean(({ full }) => full),
      ],
    ],
  };
}
