/**
 * A small CDN for real players: ffmpeg makes a live stream, three real nginx serve it, edgeward directs.
 *
 * ```
 * ffmpeg ─► media ─► nginx ams1, fra1, nyc1 ◄── segments ──┐
 *                        ▲ probes                          │
 *                    edgeward ◄── 302, steering ── hls.js, dash.js, Shaka in Chromium
 * ```
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { type Config, fewPlaces, LIVE } from "../scenarios/reference.ts";
import { freePort, type Network, takeFolder, takeNetwork } from "../scenarios/network.ts";
import { type Service, startService } from "../scenarios/harness.ts";
import { end, type NginxEdge, startNginxEdge } from "./edge.ts";
import { startMedia } from "./media.ts";
import { startViewers, type Viewers } from "./viewer.ts";

export interface Lab {
  readonly service: Service;
  readonly viewers: Viewers;
  /** Nearest to the viewers first. */
  readonly edges: { readonly [id in EdgeId]: NginxEdge };
  /** Where edges find what they serve. */
  readonly media: string;
  /** At the redirector. */
  url(path: string): string;
  /** Tags the stream for steering by a service, below a folder of its own: master.m3u8 and manifest.mpd. */
  tag(service: string, folder: string, hostname?: string): Promise<void>;
  /** Id of the edge at an address. */
  edgeAt(host: string | undefined): EdgeId | undefined;
  /** The service ends and begins again with the same configuration. */
  restartService(): Promise<void>;
  /** Every edge as it was. */
  mend(): Promise<void>;
  stop(): Promise<void>;
}

export interface LabOptions {
  /** Services beside `live`, on all edges. */
  readonly services?: Config;
}

const SITES = {
  ams1: { latitude: 52.37, longitude: 4.9 },
  fra1: { latitude: 50.11, longitude: 8.68 },
  nyc1: { latitude: 40.71, longitude: -74.01 },
} as const;
const EDGE_IDS = ["ams1", "fra1", "nyc1"] as const;
type EdgeId = (typeof EDGE_IDS)[number];

export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const closing: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    const faults: unknown[] = [];
    for (let close = closing.pop(); close !== undefined; close = closing.pop())
      await Promise.resolve()
        .then(close)
        .catch((error: unknown) => faults.push(error));
    if (faults.length > 0) throw new AggregateError(faults, `the lab did not end well: ${faults.join("; ")}`);
  };
  try {
    return await start(options, closing, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @param closing is given a way to stop for everything that is started */
async function start(options: LabOptions, closing: (() => unknown)[], stop: Lab["stop"]): Promise<Lab> {
  const network = takeNetwork();
  const { folder, remove } = takeFolder();
  closing.push(remove);
  const media = join(folder, "media");
  const ffmpeg = await startMedia(media);
  closing.push(() => end(ffmpeg));
  const port = await freePort(network.edge(1));
  const config = await configuration(network, port, options.services ?? {});
  const origin = `http://${LIVE}:${config["listen"].http[0].split(":")[1]}`;
  const startEdge = async (id: EdgeId, n: number): Promise<NginxEdge> => {
    const edge = await startNginxEdge({ host: network.edge(n), port, folder: join(folder, id), media });
    closing.push(() => edge.kill());
    return edge;
  };
  const edges = {
    ams1: await startEdge("ams1", 1),
    fra1: await startEdge("fra1", 2),
    nyc1: await startEdge("nyc1", 3),
  };
  let service = await startService({ config, folder });
  closing.push(() => service.stop());
  const viewers = await startViewers(network.host);
  closing.push(() => viewers.close());
  return {
    get service() {
      return service;
    },
    viewers,
    edges,
    media,
    url: (path) => `${origin}${path}`,
    async tag(id, folder, hostname = LIVE) {
      const server = origin.replace(LIVE, hostname);
      const tagged = async (name: string): Promise<string> => {
        const options = ["--service", id, "--path", `/${folder}/${name}`, "--server", server];
        const { code, stdout, stderr } = await service.cli("steer", join(media, "live", name), ...options);
        expect(code, stderr).toBe(0);
        return stdout;
      };
      writeFileSync(join(media, "live", `${folder}.m3u8`), await tagged("master.m3u8"));
      const mpd = await tagged("manifest.mpd");
      const tags = mpd.match(/<(BaseURL|Location|ContentSteering)\b.*?<\/\1>/gs) ?? [];
      for (const edge of Object.values(edges)) edge.tag(folder, tags.join(""));
    },
    edgeAt: (host) => EDGE_IDS.find((id) => edges[id].host === host),
    async restartService() {
      await service.stop();
      service = await startService({ config, folder });
    },
    async mend() {
      for (const edge of Object.values(edges)) {
        await edge.kill();
        await edge.start();
        await edge.become("whole");
      }
    },
    stop,
  };
}

/** Viewers on loopback are in Amsterdam. */
async function configuration(network: Network, edgePort: number, services: Config): Promise<Config> {
  const { host } = network;
  const port = async (): Promise<string> => `${host}:${await freePort(host)}`;
  return {
    listen: { dns: [await port()], http: [await port()], ops: await port() },
    geoip: { city: [fewPlaces()] },
    places: { "127.0.0.0/8": { latitude: 52.37, longitude: 4.9, country: "NL", continent: "EU" } },
    zones: {
      "cdn.example.net": { nameservers: ["ns1.cdn.example.net"], contact: "hostmaster@example.net" },
    },
    defaults: {
      probe: { type: "http", path: "/health", interval: "500ms", timeout: "400ms", rise: 2, fall: 2 },
    },
    edges: Object.fromEntries(
      EDGE_IDS.map((id, i) => [
        id,
        {
          location: SITES[id],
          addresses: [network.edge(i + 1)],
          url: `http://${network.edge(i + 1)}:${edgePort}`,
          capacity: { viewers: 1000 },
        },
      ]),
    ),
    services: { live: { hostnames: [LIVE], steering: { ttl: "5s" } }, ...services },
  };
}
