// npm run bench -- dns-size [--rounds=5] [--seconds=3]
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startEdgeward } from "../lib/edgeward.mjs";
import { largeConfiguration } from "../lib/large.mjs";
import { option } from "../lib/option.mjs";
import { inScratch, PINNING_NOTE, residentMiB, untilQuiet } from "../lib/process.mjs";
import { progress, publish } from "../lib/publish.mjs";
import { median } from "../lib/statistics.mjs";
import { startLoad } from "./load.mjs";

const ROUNDS = option("rounds", 5);
const SECONDS = option("seconds", 3);
/** Services and edges. */
const SIZES = /** @type {const} */ ([
  [1, 3],
  [5000, 500],
]);

await inScratch(async (scratch) => {
  const load = await startLoad();
  const servers = [];
  try {
    for (const [services, edges] of SIZES) {
      const folder = join(scratch, String(services));
      mkdirSync(folder);
      const more = largeConfiguration(services, edges);
      servers.push({ services, edges, server: await startEdgeward(folder, { hostnames: [], more }) });
    }
    for (const { server } of servers) await untilQuiet(server.child.pid);
    /** @type {number[][]} */
    const rates = SIZES.map(() => []);
    for (let round = 1; round <= ROUNDS; round++)
      for (const [i, { services, edges, server }] of servers.entries()) {
        const { child, ports } = server;
        const order = {
          port: ports.dns,
          pid: child.pid,
          mix: /** @type {const} */ ("one name"),
          seconds: SECONDS,
        };
        const { answers, serverCpuSeconds, wrong } = await load.run(order);
        rates[i]?.push(answers / serverCpuSeconds);
        progress(
          `round ${round}, ${services} services, ${edges} edges: ${Math.round(answers / serverCpuSeconds)} per CPU second, ${wrong} wrong`,
        );
      }
    const [small = []] = rates;
    publish({
      bench: "dns-size",
      question: "What does a query cost with many services and edges?",
      tables: [
        {
          title: `One name, 100,000 random client subnets: median of ${ROUNDS} rounds of ${SECONDS} s in turns`,
          columns: ["services", "edges", "queries per CPU second", "time per query ×", "MiB", "start s"],
          rows: servers.map(({ services, edges, server }, i) => [
            services,
            edges,
            median(rates[i] ?? []),
            median((rates[i] ?? []).map((rate, round) => (small[round] ?? Number.NaN) / rate)),
            residentMiB(server.child.pid),
            server.startSeconds,
          ]),
        },
      ],
      notes: [PINNING_NOTE],
    });
  } finally {
    await load.stop();
    for (const { server } of servers) await server.child.stop();
  }
});
