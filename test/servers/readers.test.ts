import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { pullOnce } from "../../src/load/once.ts";
import type { PolledLoad } from "../../src/load/source.ts";
import type { LoadReport } from "../../src/model/condition.ts";
import { source } from "../load/reading.ts";
import { closedPort } from "../probe/servers.ts";
import { folderOfTest, lacks, type Program, RTMP_MODULE, startNginx, startProgram } from "./programs.ts";

/** Real programs as Debian has them, each read by its reader while viewers are connected. */
const HOST = "127.0.0.1";
const SOON_MS = 30_000;

function ofTest(program: Program): Program {
  onTestFinished(() => program.stop());
  return program;
}

async function read(polled: PolledLoad): Promise<LoadReport> {
  const listen = { dns: [], http: [], ops: { host: HOST, port: 0 } };
  const [pulled] = await pullOnce({ load: [polled] }, { allowedProbeNetworks: [], listen });
  expect(pulled?.problem).toBeUndefined();
  return pulled?.report ?? {};
}

/** Reads until the report is as it should be. */
async function expectReport(polled: PolledLoad, report: object): Promise<void> {
  await expect.poll(() => read(polled), { timeout: SOON_MS, interval: 100 }).toMatchObject(report);
}

/** Connections that have asked for something and wait for the rest. */
function viewersAt(port: number, count: number, request: string): Socket[] {
  const sockets = Array.from({ length: count }, () => {
    const socket = connect({ host: HOST, port });
    socket.on("error", () => {});
    socket.write(request);
    return socket;
  });
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
  return sockets;
}

/** An origin whose `/slow` never ends. */
async function startOrigin(): Promise<number> {
  const server: Server = createServer((request, reply) => {
    reply.writeHead(200, { "cache-control": "no-store" });
    if (request.url === "/slow") reply.write("x".repeat(1000));
    else reply.end("x".repeat(100_000));
  }).listen(0, HOST);
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Longer than Varnish's timeout_linger: its workers tell what they have sent when a connection pauses. */
const PAUSE_MS = 100;

/** Downloads for as long as the test runs, so that counters move. */
function keepDownloading(port: number, path: string): void {
  const done = new AbortController();
  const all = (async () => {
    while (!done.signal.aborted) {
      await fetch(`http://${HOST}:${port}${path}`).then(
        (answer) => answer.arrayBuffer(),
        () => undefined,
      );
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  })();
  onTestFinished(() => {
    done.abort();
    return all;
  });
}

const POSITIVE = expect.toSatisfy(
  (value: unknown) => typeof value === "number" && value > 0,
  "positive",
) as number;
const SHARE = expect.toSatisfy(
  (value: unknown) => typeof value === "number" && value > 0 && value <= 1,
  "a share",
) as number;

describe.skipIf(lacks("nginx", "ffmpeg", RTMP_MODULE))("nginx", () => {
  it("tells its RTMP viewers, without the publisher, and the stream", async () => {
    const folder = folderOfTest();
    const [rtmpPort, httpPort] = [await closedPort(), await closedPort()];
    ofTest(
      startNginx(
        folder,
        `rtmp { server { listen ${HOST}:${rtmpPort}; application live { live on; } } }`,
        `server { listen ${HOST}:${httpPort}; location = /stat { rtmp_stat all; } }`,
      ),
    );
    const url = `rtmp://${HOST}:${rtmpPort}/live/cam1`;
    const stat = source("nginx-rtmp", `http://${HOST}:${httpPort}/stat`);
    await expect.poll(() => read(stat).catch(() => ({})), { timeout: SOON_MS }).toHaveProperty("viewers");
    const ffmpeg = (...args: string[]): Program =>
      ofTest(startProgram({ command: "ffmpeg", folder, args: ["-nostdin", "-loglevel", "error", ...args] }));
    const picture = ["-re", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=5", "-c:v", "libx264", "-g", "5"];
    ffmpeg(...picture, "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-f", "flv", url);
    await expectReport(stat, { viewers: 0, streams: ["live/cam1"] });
    for (let i = 0; i < 3; i++) ffmpeg("-i", url, "-f", "null", "-");
    await expectReport(stat, { viewers: 3, bandwidth: POSITIVE, streams: ["live/cam1"] });
  }, 90_000);

  it("tells its connections by stub_status", async () => {
    const port = await closedPort();
    const page = "location = /stub_status { stub_status; }";
    ofTest(startNginx(folderOfTest(), "", `server { listen ${HOST}:${port}; ${page} }`));
    const status = source("nginx-stub-status", `http://${HOST}:${port}/stub_status`);
    await expect.poll(() => read(status).catch(() => ({})), { timeout: SOON_MS }).toHaveProperty("viewers");
    const idle = (await read(status)).viewers ?? 0;
    viewersAt(port, 5, "GET /slow HTTP/1.1\r\n");
    await expectReport(status, { viewers: idle + 5 });
  }, 60_000);
});

describe.skipIf(lacks("haproxy"))("HAProxy", () => {
  it("tells its sessions, its bandwidth, and the limit that it has set itself", async () => {
    const [port, statsPort, origin] = [await closedPort(), await closedPort(), await startOrigin()];
    const folder = folderOfTest();
    const config = `
global
  maxconn 500
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend viewers
  bind ${HOST}:${port}
  maxconn 300
  option contstats
  default_backend origin
frontend stats
  bind ${HOST}:${statsPort}
  stats enable
  stats uri /stats
backend origin
  server one ${HOST}:${origin}
`;
    const args = ["-db", "-f", join(folder, "haproxy.cfg")];
    ofTest(startProgram({ command: "haproxy", folder, files: { "haproxy.cfg": config }, args }));
    const stats = source("haproxy", `http://${HOST}:${statsPort}/stats;csv`);
    await expect.poll(() => read(stats).catch(() => ({})), { timeout: SOON_MS }).toHaveProperty("viewers");
    viewersAt(port, 7, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    keepDownloading(port, "/");
    const some = expect.toSatisfy(
      (value: unknown) => value === 7 || value === 8,
      "7, or 8 with the download",
    ) as number;
    await expectReport(stats, { viewers: some, bandwidth: POSITIVE, capacity: { viewers: 300 } });
  }, 60_000);
});

describe.skipIf(lacks("varnishd", "varnishstat"))("Varnish", () => {
  it("tells its sessions and its bandwidth through varnishstat", async () => {
    const [port, origin] = [await closedPort(), await startOrigin()];
    const folder = folderOfTest();
    const storage = ["-s", "malloc,8m", "-p", "vsl_space=1M", "-p", "thread_pool_min=10"];
    const args = [
      "-F",
      "-j",
      "none",
      "-n",
      join(folder, "varnish"),
      "-a",
      `${HOST}:${port}`,
      "-b",
      `${HOST}:${origin}`,
    ];
    const varnish = ofTest(startProgram({ command: "varnishd", folder, args: [...args, ...storage] }));
    const exporter = createServer((_, reply) => {
      promisify(execFile)("varnishstat", ["-n", join(folder, "varnish"), "-1", "-j"]).then(
        ({ stdout }) => reply.end(stdout),
        () => reply.writeHead(503).end(),
      );
    }).listen(0, HOST);
    await once(exporter, "listening");
    onTestFinished(() => void exporter.close());
    const stats = source("varnish", `http://${HOST}:${(exporter.address() as AddressInfo).port}/`);
    await expect
      .poll(() => read(stats).catch(() => varnish.said()), { timeout: SOON_MS, interval: 200 })
      .toHaveProperty("viewers");
    viewersAt(port, 6, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    keepDownloading(port, "/");
    const some = expect.toSatisfy(
      (value: unknown) => Number(value) >= 6 && Number(value) <= 8,
      "6 to 8",
    ) as number;
    await expectReport(stats, { viewers: some, bandwidth: POSITIVE });
  }, 90_000);
});

describe.skipIf(lacks("apache2"))("Apache", () => {
  it("tells its connections and its bandwidth", async () => {
    const port = await closedPort();
    const folder = folderOfTest();
    const modules = ["mpm_event", "authz_core", "status", "alias", "mime"];
    const config = `
ServerRoot ${folder}
ServerName localhost
Listen ${HOST}:${port}
PidFile ${folder}/apache.pid
ErrorLog ${folder}/error.log
Mutex pthread
ScoreBoardFile ${folder}/scoreboard
${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join("\n")}
TypesConfig /dev/null
User nobody
Group nogroup
ExtendedStatus On
StartServers 1
ThreadsPerChild 25
MaxRequestWorkers 25
<Location /server-status>
  SetHandler server-status
</Location>
`;
    const args = ["-DFOREGROUND", "-f", join(folder, "apache.conf")];
    const apache = ofTest(
      startProgram({ command: "apache2", folder, files: { "apache.conf": config }, args }),
    );
    const status = source("apache", `http://${HOST}:${port}/server-status`);
    await expect
      .poll(() => read(status).catch(() => apache.said()), { timeout: SOON_MS, interval: 200 })
      .toHaveProperty("viewers");
    viewersAt(port, 4, "GET / HTTP/1.1\r\n");
    keepDownloading(port, "/server-status");
    const some = expect.toSatisfy(
      (value: unknown) => Number(value) >= 4 && Number(value) <= 7,
      "4 to 7",
    ) as number;
    await expectReport(status, { viewers: some, bandwidth: POSITIVE });
  }, 60_000);
});

describe.skipIf(lacks("prometheus-node-exporter"))("node-exporter", () => {
  it("tells CPU, memory and the bandwidth of an interface", async () => {
    const port = await closedPort();
    const folder = folderOfTest();
    const args = [
      `--web.listen-address=${HOST}:${port}`,
      "--log.level=error",
      "--collector.netdev.device-exclude=^none$",
    ];
    ofTest(startProgram({ command: "prometheus-node-exporter", folder, args }));
    const metrics = source("node-exporter", `http://${HOST}:${port}/metrics`, { interface: "lo" });
    await expect.poll(() => read(metrics).catch(() => ({})), { timeout: SOON_MS }).toHaveProperty("memory");
    await expectReport(metrics, { cpu: SHARE, memory: SHARE, bandwidth: POSITIVE });
  }, 60_000);
});
