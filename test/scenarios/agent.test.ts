import { createHash } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Child, spawnEdgeward } from "./program.ts";
import { type Config, referenceConfig } from "./reference.ts";
import { type FakeEdge, startEdge } from "./fake-edge.ts";
import { takeFolder, takeNetwork } from "./network.ts";
import { waitFor } from "./wait.ts";
import { PATIENCE_MS, type Service, startService } from "./harness.ts";

const TOKEN = "agent-of-ams1-0123456789abcdef";

const READER = "reader-0123456789abcdef";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

const statOf = (viewers: number): string =>
  `<?xml version="1.0"?><rtmp><bw_out>8000</bw_out><server><application><name>live</name><live>
  <stream><name>cam1</name><nclients>${viewers + 1}</nclients><publishing/><active/>
  <client><publishing/></client></stream></live></application></server></rtmp>`;

describe("an edge that nobody can reach from outside", () => {
  const network = takeNetwork();
  const { folder, remove } = takeFolder();
  let service: Service;
  let config: Config;
  let stat: FakeEdge;
  let viewers = 41;
  const agents: Child[] = [];

  const agent = (...args: string[]): Child => {
    const child = spawnEdgeward(["agent", ...args], { EDGEWARD_TOKEN: TOKEN });
    agents.push(child);
    return child;
  };
  const server = (): string => `http://${config["listen"].ops}`;
  const reported = async (): Promise<number | undefined> => {
    const answer = await fetch(`${server()}/v1/edges/ams1`, {
      headers: { authorization: `Bearer ${READER}` },
    });
    return ((await answer.json()) as { load: { viewers?: number } }).load.viewers;
  };

  beforeAll(async () => {
    config = await referenceConfig(network);
    config["defaults"].load = { type: "push", staleAfter: "30s" };
    config["ops"] = {
      tokens: [
        { name: "ams1-agent", role: "reporter", edge: "ams1", sha256: sha256(TOKEN) },
        { name: "test", role: "viewer", sha256: sha256(READER) },
      ],
    };
    stat = await startEdge(network.edge(9), (_, reply) => reply.end(statOf(viewers)));
    service = await startService({ config, folder });
  }, PATIENCE_MS);
  afterAll(async () => {
    for (const { process } of agents) process.kill("SIGKILL");
    await service.stop();
    await stat.kill();
    remove();
  });

  it("is reported by an agent beside it, once, for cron", async () => {
    const once = agent(
      "--edge",
      "ams1",
      "--server",
      server(),
      "--source",
      "nginx-rtmp",
      "--url",
      stat.url,
      "--once",
    );
    expect(await once.exited).toMatchObject({ code: 0, stderr: "" });
    expect(await reported()).toBe(41);
  });

  it("is reported again and again, whatever happens to the service meanwhile, until the agent is stopped", async () => {
    const file = join(mkdtempSync(join(folder, "agent-")), "agent.yaml");
    const load = { type: "nginx-rtmp", url: stat.url, interval: "100ms", timeout: "100ms" };
    writeFileSync(file, JSON.stringify({ edge: "ams1", server: server(), load }));
    const going = agent("-f", file);
    viewers = 43;
    await waitFor(async () => (await reported()) === 43, 10_000, "the first report");
    await service.stop();
    viewers = 44;
    service = await startService({ config, folder });
    await waitFor(async () => (await reported()) === 44, 10_000, "a report after the restart");
    going.process.kill("SIGTERM");
    const { code, stderr } = await going.exited;
    expect(code).toBe(0);
    // Whatever the first report met: a door that is closing, a connection that goes, or nobody there any more.
    expect(stderr).toMatch(
      /"problem":"(?:it answers 503|it closed the connection|connection refused).*does not take reports; trying on/,
    );
    expect(stderr).toContain("reports are taken again");
    expect(stderr).not.toContain(TOKEN);
  });

  it("is read anew by an agent that is told so, unless what it is to read is wrong", async () => {
    const file = join(mkdtempSync(join(folder, "agent-")), "agent.yaml");
    const write = (url: string) => {
      const load = { type: "nginx-rtmp", url, interval: "100ms", timeout: "100ms" };
      writeFileSync(file, JSON.stringify({ edge: "ams1", server: server(), load }));
    };
    write("http://127.0.0.1:1/");
    const going = agent("-f", file);
    const logged = (text: string) => waitFor(async () => going.stderr().includes(text), 10_000, text);
    await logged("load source cannot be read");
    writeFileSync(file, "edge: [");
    going.process.kill("SIGHUP");
    await logged("not read again");
    viewers = 45;
    write(stat.url);
    going.process.kill("SIGHUP");
    await waitFor(async () => (await reported()) === 45, 10_000, "a report of what it was told to read");
    going.process.kill("SIGTERM");
    expect(await going.exited).toMatchObject({ code: 0 });
  });

  it("says why it cannot", async () => {
    const args = (source: string, ...more: string[]) => [
      "--source",
      "nginx-rtmp",
      "--url",
      source,
      "--once",
      ...more,
    ];
    const run = (...all: string[]) => agent(...all).exited;
    const [other, silent, unread, unsaid, secret, untrusted] = await Promise.all([
      run("--edge", "sin1", "--server", server(), ...args(stat.url)),
      run("--edge", "ams1", "--server", "http://127.0.0.1:1", ...args(stat.url)),
      run("--edge", "ams1", "--server", server(), ...args("http://127.0.0.1:1")),
      run("--server", server(), ...args(stat.url)),
      run("--edge", "ams1", "--server", server(), "--source", "mistserver", "--url", stat.url),
      run("--edge", "ams1", "--server", server(), ...args(stat.url), "--ca", import.meta.filename),
    ]);
    expect(untrusted).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/agent\.test\.ts holds no certificate in PEM/) as string,
    });
    expect(other).toMatchObject({ code: 1, stderr: expect.stringMatching(/answers 403/) as string });
    expect(silent).toMatchObject({ code: 4, stderr: expect.stringMatching(/connection refused/) as string });
    expect(unread).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/nothing could be read/) as string,
    });
    expect(unsaid).toMatchObject({ code: 2, stderr: expect.stringMatching(/add --edge ID/) as string });
    expect(secret).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/load\.passphrase: missing/) as string,
    });
  });
});
