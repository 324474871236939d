import { execFile, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type Config, LIVE } from "./reference.ts";
import { ROOT } from "./program.ts";
import { takeFolder } from "./network.ts";
import { PATIENCE_MS, type Service, startService } from "./harness.ts";

const run = promisify(execFile);

/** Only outside of CI may a test go without the program it needs. */
function lacks(program: string): boolean {
  return !process.env["CI"] && spawnSync(program, ["-h"]).error !== undefined;
}

/** What `npm start` runs, on the shipped configuration and its fixed ports. */
describe("the demo", () => {
  const { folder, remove } = takeFolder();
  let service: Service;

  beforeAll(async () => {
    const configFile = join(ROOT, "config/edgeward.yaml");
    const config = parse(readFileSync(configFile, "utf8")) as Config;
    await demandFree(config);
    const args = ["serve", "--demo"];
    service = await startService({ config, folder, configFile, args });
  }, PATIENCE_MS);
  afterAll(async () => {
    await service.stop();
    remove();
  });

  it("says on the console what to try", () => {
    expect(service.stdout()).toContain(`dig @127.0.0.1 -p 8053 ${LIVE} +subnet=81.2.69.0/24 +short`);
    expect(service.stdout()).toContain("https://db-ip.com");
    expect(service.stderr()).toBe("");
  });

  const viewers = [
    ["London", "81.2.69.0", "127.0.0.11", "ams1"],
    ["Tokyo", "133.11.0.0", "127.0.0.12", "sin1"],
    ["California", "8.8.8.0", "127.0.0.13", "nyc1"],
  ] as const;

  it.skipIf(lacks("dig")).each(viewers)("sends %s by dig", async (_name, address, edge) => {
    const words = `@127.0.0.1 -p 8053 ${LIVE} +subnet=${address}/24 +short`;
    const { stdout } = await run("dig", words.split(" "));
    expect(stdout.split("\n")[0]).toBe(edge);
  });

  it.skipIf(lacks("curl")).each(viewers)(
    "sends %s by curl to the same edge",
    async (_name, address, edge) => {
      const url = "http://127.0.0.1:8080/live/stream.m3u8?a=%2F";
      const headers = ["-H", `Host: ${LIVE}`, "-H", `X-Forwarded-For: ${address}`];
      const { stdout } = await run("curl", ["-s", "-i", ...headers, url]);
      expect(stdout).toContain("HTTP/1.1 302 Found\r\n");
      expect(stdout).toContain(`Location: http://${edge}:8081/live/stream.m3u8?a=%2F\r\n`);
    },
  );

  it.each(viewers)("explains the same edge for %s", async (_name, address, _edge, id) => {
    const table = await service.cli("explain", LIVE, address);
    expect(table.code, table.stderr).toBe(0);
    const { stdout } = await service.cli("explain", LIVE, address, "-o", "json");
    expect((JSON.parse(stdout) as { edges: { id: string }[] }).edges[0]?.id).toBe(id);
  });

  it.skipIf(lacks("ffprobe"))("plays through the redirect", async () => {
    const words = [
      "-v",
      "error",
      "-headers",
      `Host: ${LIVE}`,
      "-show_entries",
      "format=format_name,duration",
    ];
    const { stdout } = await run("ffprobe", [...words, "http://127.0.0.1:8080/live/stream.m3u8"]);
    expect(stdout).toContain("format_name=hls");
    expect(Number(/duration=([\d.]+)/.exec(stdout)?.[1])).toBeGreaterThan(2);
  });
});

/** The shipped ports are fixed: whoever has one of them is to be told of, not guessed at. */
async function demandFree({ listen, edges }: Config): Promise<void> {
  const urls = Object.values<{ url: string }>(edges).map(({ url }) => new URL(url).host);
  const tcp = [...listen.dns, ...listen.http, listen.ops, ...urls] as string[];
  const taken = [
    ...(await Promise.all(tcp.map(async (endpoint) => await problemOf(endpoint, "TCP")))),
    ...(await Promise.all((listen.dns as string[]).map(async (one) => await problemOf(one, "UDP")))),
  ].filter((problem) => problem !== undefined);
  if (taken.length > 0)
    throw new Error(`the demo needs these, stop what holds them: ${[...new Set(taken)].join("; ")}`);
}

function problemOf(endpoint: string, protocol: "TCP" | "UDP"): Promise<string | undefined> {
  const [, host = "", port] = /^\[?([^\]]*)\]?:(\d+)$/.exec(endpoint) ?? [];
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void =>
      resolve(`${protocol} ${endpoint} (${String(error.code)})`);
    if (protocol === "TCP") {
      const server = createServer();
      server.once("error", failed);
      server.listen(Number(port), host, () => server.close(() => resolve(undefined)));
    } else {
      const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
      socket.once("error", failed);
      socket.bind(Number(port), host, () => socket.close(() => resolve(undefined)));
    }
  });
}
