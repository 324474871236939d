import { readFileSync, writeFileSync } from "node:fs";
import { askAtPace, connectOften } from "./clients.mjs";
import { pause, until, withEdgeward } from "./server.mjs";

/** @type {readonly import("./fault.ts").Fault[]} */
export const faults = [
  {
    name: "reload",
    what: "two reloads with 500 edges more under 500 UDP queries and 50 TCP connections per second",
    run: (folder) =>
      withEdgeward(folder, {}, async ({ child, file, ports: { dns: port } }) => {
        const tcp = connectOften({ port, from: "127.0.5.1", everyMs: 20 });
        const udp = askAtPace({ port, from: "127.0.4.1", perSecond: 500, seconds: 15 });
        let taken = 0;
        for (let reload = 1; reload <= 2; reload++) {
          await pause(1000);
          writeFileSync(file, withMoreEdges(readFileSync(file, "utf8"), reload * 500));
          child.process.kill("SIGHUP");
          const isTaken = () => child.output().split("configuration taken").length - 1 >= reload;
          if (await until(isTaken, 30_000)) taken++;
        }
        const asked = await udp;
        const connections = await tcp();
        return {
          held: taken === 2 && asked.full === asked.sent && connections.answered === connections.asked,
          figure: `${taken} taken; UDP ${asked.full} of ${asked.sent}, TCP ${connections.answered} of ${connections.asked} answered`,
        };
      }),
  },
];

/** @param {string} text JSON @param {number} count */
export function withMoreEdges(text, count) {
  const configuration = JSON.parse(text);
  for (let i = 0; i < count; i++)
    configuration.edges[`more${i}`] = {
      location: { latitude: (i % 120) - 60, longitude: (i * 7) % 180 },
      addresses: [`198.18.${i >> 8}.${i & 0xff}`],
      url: `http://more${i}.edge.example.net`,
      probe: { type: "none" },
    };
  return JSON.stringify(configuration);
}
