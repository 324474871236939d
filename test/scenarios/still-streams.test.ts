/** An encoder that stands still behind edges that answer: what whoever is called at night gets to see. */
import type { RequestListener } from "node:http";
import { afterAll, expect, it } from "vitest";
import { startEdge } from "./fake-edge.ts";
import { serviceForAll } from "./harness.ts";
import { takeNetwork } from "./network.ts";
import { referenceConfig } from "./reference.ts";
import { waitFor } from "./wait.ts";

const LONG_MS = 60_000;
const network = takeNetwork();
/** While it is true, playlists have a new segment whenever they are asked for. */
let isRunning = true;
let sequence = 0;

const answer: RequestListener = ({ url = "" }, response) => {
  if (!url.endsWith(".m3u8")) return void response.end("ok\n");
  if (isRunning) sequence++;
  response.end(
    `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:${sequence}\n#EXTINF:1,\n${sequence}.ts\n`,
  );
};
const edges = await Promise.all([1, 2, 3].map((n) => startEdge(network.edge(n), answer)));
afterAll(() => Promise.all(edges.map((edge) => edge.kill())));

const service = serviceForAll(async () => {
  const config = await referenceConfig(network, edges);
  config["services"].live.streams = { probe: "hls", path: "/{stream}.m3u8", interval: "2s" };
  config["defaults"].probe = { type: "none" };
  config["defaults"].load.staleAfter = "10m";
  return config;
});

const STILL = 'edgeward_service_stale_streams{service="live"}';
const alarm = "alarm: service live: 1 stream stands still at every edge";

it(
  "is in the alarms, the metrics and the log, and `edges` names the stream; until it goes on",
  async () => {
    isRunning = true;
    for (const id of ["ams1", "sin1", "nyc1"])
      await service.ops("PUT", `/v1/edges/${id}/load`, { viewers: 1, streams: ["live/cup"] });
    const checked = async (): Promise<boolean> => {
      const metrics = await service.metrics();
      const checks = metrics.get('edgeward_stream_checks_total{service="live",result="ok"}') ?? 0;
      return checks >= 3 && metrics.get(STILL) === 0;
    };
    await waitFor(checked, LONG_MS, "the stream to be checked");

    isRunning = false;
    await waitFor(
      async () => (await service.metrics()).get(STILL) === 1,
      LONG_MS,
      "the stream to stand still",
    );
    expect((await service.cli("health")).stdout).toContain(alarm);
    const named = (await service.cli("edges")).stdout.match(/stream live\/cup stands still/g);
    expect(named).toHaveLength(3);
    const told = (): unknown[] => service.log().filter(({ msg }) => msg === "streams stand still at edges");
    await waitFor(() => told().length > 0, LONG_MS, "the log to tell of it");
    expect(told()[0]).toMatchObject({ level: "warn", streams: ["live/cup"] });

    isRunning = true;
    await waitFor(async () => (await service.metrics()).get(STILL) === 0, LONG_MS, "the stream to go on");
    expect((await service.cli("health")).stdout).not.toContain(alarm);
  },
  4 * LONG_MS,
);
