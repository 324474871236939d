import { execFile } from "node:child_process";
import type { Socket } from "node:net";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CALIFORNIA, type Config, LIVE, LONDON, referenceConfig, TOKYO } from "./reference.ts";
import { freePort, takeFolder, takeNetwork } from "./network.ts";
import { waitFor } from "./wait.ts";
import { edgesNamed, firstEdges, PATIENCE_MS, type Service, startService } from "./harness.ts";
import {
  lacks,
  type Program,
  removeFolder,
  RTMP_MODULE,
  startNginx,
  startProgram,
  takeServerFolder,
} from "../servers/programs.ts";
import { playRtmp } from "../servers/rtmp-player.ts";

/**
 * A small broadcaster's evening: an origin that is published to, three edges that pull from it by RTMP and give HLS,
 * all of them nginx; viewers in London, Tokyo and California by DNS and by HTTP. Steps follow upon each other.
 */
const run = promisify(execFile);
const ORIGIN = "127.0.0.10";
const [AMSTERDAM, SINGAPORE, NEW_YORK] = ["127.0.0.11", "127.0.0.12", "127.0.0.13"] as const;
const TARGET_DURATION_MS = 4000;
const SOON_MS = 30_000;

interface Edge {
  readonly host: string;
  readonly rtmpPort: number;
  readonly httpPort: number;
  readonly folder: string;
  nginx: Program;
}

describe.skipIf(lacks("nginx", "ffmpeg", "ffprobe", RTMP_MODULE))("a small broadcaster", () => {
  const network = takeNetwork();
  const { folder, remove } = takeFolder();
  const edges: Edge[] = [];
  const folders: string[] = [];
  let origin: Program;
  let publisher: Program;
  let service: Service;
  let restartEdge: (index: number) => void;

  const folderFor = (): string => {
    folders.push(takeServerFolder());
    return folders.at(-1) as string;
  };

  const startEdge = (edge: Omit<Edge, "nginx">, originPort: number): Program =>
    startNginx(
      edge.folder,
      `rtmp { server {
        listen ${edge.host}:${edge.rtmpPort};
        application live {
          live on;
          pull rtmp://${ORIGIN}:${originPort}/live/cam1 name=cam1 static;
          hls on;
          hls_path ${edge.folder}/hls;
          hls_fragment ${TARGET_DURATION_MS / 1000}s;
          hls_playlist_length 20s;
        }
      } }`,
      `server {
        listen ${edge.host}:${edge.httpPort};
        location /hls { root ${edge.folder}; add_header Access-Control-Allow-Origin *; add_header Cache-Control no-cache; }
        location = /stat { rtmp_stat all; }
        location = /stub_status { stub_status; }
      }`,
    );

  beforeAll(async () => {
    const originPort = await freePort(ORIGIN);
    origin = startNginx(
      folderFor(),
      `rtmp { server { listen ${ORIGIN}:${originPort}; application live { live on; } } }`,
      "",
    );
    publisher = startProgram({
      command: "ffmpeg",
      folder: folderFor(),
      args: [
        "-nostdin -loglevel error -re -f lavfi -i testsrc=size=64x48:rate=5".split(" "),
        "-c:v libx264 -preset ultrafast -g 10 -pix_fmt yuv420p -b:v 16k".split(" "),
        ["-f", "flv", `rtmp://${ORIGIN}:${originPort}/live/cam1`],
      ].flat(),
    });
    for (const host of [AMSTERDAM, SINGAPORE, NEW_YORK]) {
      const place = {
        host,
        rtmpPort: await freePort(host),
        httpPort: await freePort(host),
        folder: folderFor(),
      };
      edges.push({ ...place, nginx: startEdge(place, originPort) });
    }
    const config: Config = await referenceConfig(network);
    config["defaults"].probe = {
      type: "hls",
      path: "/hls/cam1.m3u8",
      interval: "250ms",
      timeout: "250ms",
      rise: 1,
      fall: 2,
    };
    for (const [i, edge] of Object.values<Config>(config["edges"]).entries()) {
      const { host, httpPort } = edges[i] as Edge;
      const url = `http://${host}:${httpPort}`;
      delete edge["probe"];
      Object.assign(edge, {
        addresses: [host],
        url,
        capacity: { viewers: 700 },
        load: [
          { type: "nginx-rtmp", url, interval: "500ms", timeout: "500ms" },
          { type: "nginx-stub-status", url, interval: "500ms", timeout: "500ms" },
        ],
      });
    }
    service = await startService({ config, folder });
    restartEdge = (index) => {
      const edge = edges[index] as Edge;
      edge.nginx = startEdge(edge, originPort);
    };
    await waitFor(
      async () => (await healthOf()).every((health) => health === "up"),
      60_000,
      "all edges to play",
    );
  }, PATIENCE_MS);

  afterAll(async () => {
    await service?.stop();
    for (const program of [publisher, origin, ...edges.map(({ nginx }) => nginx)]) await program?.stop();
    for (const each of folders) removeFolder(each);
    remove();
  });

  const healthOf = async (): Promise<string[]> => {
    const { json } = await service.ops("GET", "/v1/edges");
    return (json as { health: { health: string }[] }[]).map(({ health }) => health[0]?.health ?? "-");
  };
  const viewersAt = async (id: string): Promise<number | undefined> => {
    const { json } = await service.ops("GET", `/v1/edges/${id}`);
    return (json as { load: { viewers?: number } }).load.viewers;
  };
  const goesTo = async (viewer: string, edge: string): Promise<boolean> => {
    const [dns, http] = await firstEdges(service, viewer);
    return dns === edge && http === edge;
  };
  const plays = async (url: string, ...options: string[]): Promise<string> => {
    const words = ["-v", "error", ...options, "-show_entries", "format=format_name:stream=codec_name", url];
    return (await run("ffprobe", words, { timeout: 60_000 })).stdout;
  };

  it.each([
    ["London", LONDON, AMSTERDAM],
    ["Tokyo", TOKYO, SINGAPORE],
    ["California", CALIFORNIA, NEW_YORK],
  ])("sends %s to the nearest edge by DNS and by HTTP", async (_city, viewer, edge) => {
    // What the API has just told of an edge's health, threads hear a moment later, each by itself.
    await waitFor(() => goesTo(viewer, edge), SOON_MS, `both doors to name ${edge}`);
  });

  it("plays through the redirect", async () => {
    const { host, port } = service.doors.http;
    const headers = ["-headers", `Host: ${LIVE}\r\nX-Forwarded-For: ${LONDON}\r\n`];
    const seen = await plays(`http://${host}:${port}/hls/cam1.m3u8`, ...headers);
    expect(seen).toContain("codec_name=h264");
    expect(seen).toContain("format_name=hls");
  }, 90_000);

  it("names an edge that is stopped to nobody, and again when it is back", async () => {
    await edges[0]?.nginx.stop();
    await waitFor(
      async () => !(await edgesNamed(service, LONDON)).has(AMSTERDAM),
      SOON_MS,
      "Amsterdam to be gone",
    );
    await waitFor(() => goesTo(LONDON, NEW_YORK), SOON_MS, "both doors to name New York");
    restartEdge(0);
    await waitFor(() => goesTo(LONDON, AMSTERDAM), 60_000, "Amsterdam to be back");
  }, 120_000);

  it("sends nobody new to an edge that is drained, where those it has play on", async () => {
    const { host, httpPort } = edges[1] as Edge;
    expect((await service.cli("drain", "sin1", "--reason", "disk swap")).code).toBe(0);
    expect(await edgesNamed(service, TOKYO)).not.toContain(SINGAPORE);
    expect(await plays(`http://${host}:${httpPort}/hls/cam1.m3u8`)).toContain("codec_name=h264");
    expect((await service.cli("undrain", "sin1")).code).toBe(0);
    await waitFor(() => goesTo(TOKYO, SINGAPORE), SOON_MS, "Singapore to be back");
  }, 120_000);

  it("sends nobody new to an edge whose own /stat says that it is full", async () => {
    const { host, rtmpPort } = edges[2] as Edge;
    const players: Socket[] = [];
    try {
      for (let i = 0; i < 700; i++) players.push(playRtmp(host, rtmpPort, "live", "cam1"));
      await waitFor(async () => ((await viewersAt("nyc1")) ?? 0) >= 700, SOON_MS, "700 viewers in /stat");
      await waitFor(
        async () => !(await edgesNamed(service, CALIFORNIA)).has(NEW_YORK),
        SOON_MS,
        "New York to be full",
      );
      // While it takes up load little by little, it may be left out for that before a report has it full.
      await expect
        .poll(async () => (await service.ops("GET", `/v1/explain?hostname=${LIVE}&ip=${CALIFORNIA}`)).json)
        .toMatchObject({ rejected: [{ id: "nyc1", reason: "full" }] });
    } finally {
      for (const player of players) player.destroy();
    }
    await waitFor(() => goesTo(CALIFORNIA, NEW_YORK), SOON_MS, "New York to have room");
    expect(await viewersAt("nyc1")).toBe(0);
  }, 120_000);

  it("finds within two target durations that the origin is not published to any more", async () => {
    const advancing = watchPlaylist(edges[0] as Edge);
    await publisher.stop();
    await waitFor(
      async () => (await healthOf()).every((health) => health === "down"),
      SOON_MS,
      "all to be stale",
    );
    const saidMs = performance.now();
    expect(saidMs - (await advancing.lastMs())).toBeLessThan(2 * TARGET_DURATION_MS);
    const { json } = await service.ops("GET", "/v1/edges/ams1");
    expect((json as { health: unknown }).health).toMatchObject([{ health: "down", reason: "stale" }]);
    // whenDown: fail-open. Nobody has a better edge to go to.
    await waitFor(() => goesTo(LONDON, AMSTERDAM), SOON_MS, "both doors to name Amsterdam");
  }, 90_000);
});

/** When a playlist last changed, looked at often. */
function watchPlaylist({ host, httpPort }: Edge): { lastMs: () => Promise<number> } {
  const done = new AbortController();
  const watched = (async () => {
    let [last, lastMs] = ["", performance.now()];
    while (!done.signal.aborted) {
      const text = await (await fetch(`http://${host}:${httpPort}/hls/cam1.m3u8`)).text();
      if (text !== last) [last, lastMs] = [text, performance.now()];
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return lastMs;
  })();
  return {
    lastMs: () => {
      done.abort();
      return watched;
    },
  };
}
