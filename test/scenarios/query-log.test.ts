import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Config, LIVE, LONDON, referenceConfig, replaceFile, textOf } from "./reference.ts";
import { sleep, waitFor } from "./wait.ts";
import { takeFolder, takeNetwork } from "./network.ts";
import { PATIENCE_MS, type Service, startService } from "./harness.ts";

const QUERIES = 5000;

describe("the query log", () => {
  const network = takeNetwork();
  const { folder, remove } = takeFolder();
  const file = join(folder, "queries.log");
  let config: Config;
  let service: Service;

  beforeAll(async () => {
    config = await referenceConfig(network);
    service = await startService({ config, folder });
  }, PATIENCE_MS);
  afterAll(async () => {
    await service.stop();
    remove();
  });

  /** Logs every answer there from now on. */
  const logTo = async (destination: string | undefined): Promise<void> => {
    config["dns"] = destination === undefined ? {} : { queryLog: { destination, sample: 1 } };
    replaceFile(service.configFile, textOf(config));
    const before = service.log().filter(({ msg }) => msg === "configuration taken").length;
    await waitFor(
      () => service.log().filter(({ msg }) => msg === "configuration taken").length > before,
      30_000,
      `the log to go to ${destination}`,
    );
  };
  const lines = (path = file): Record<string, unknown>[] =>
    existsSync(path)
      ? readFileSync(path, "utf8")
          .split("\n")
          .filter(Boolean)
          .map((text) => JSON.parse(text) as Record<string, unknown>)
      : [];
  const dropped = async (): Promise<number> =>
    (await service.metrics()).get("edgeward_dns_query_log_dropped_total") ?? Number.NaN;
  const askOnce = () => service.dns.ask(LIVE, { subnet: `${LONDON}/32`, timeoutMs: 10_000 });
  /** As many as fill every queue; each is answered. */
  const flood = async (): Promise<void> => {
    for (let i = 0; i < QUERIES; i += 50) {
      const replies = await Promise.all(Array.from({ length: 50 }, askOnce));
      expect(replies.every(({ rcode, addresses }) => rcode === 0 && addresses.length > 0)).toBe(true);
    }
  };

  it("is off, until it is configured; then lines appear, without anybody's whole address", async () => {
    await askOnce();
    expect(lines()).toEqual([]);
    await logTo(file);
    await waitFor(
      async () => {
        await askOnce();
        return lines().length > 0;
      },
      20_000,
      "a line",
    );
    expect(lines().at(-1)).toMatchObject({
      transport: "udp",
      name: `${LIVE}.`,
      type: "A",
      rcode: "NOERROR",
      subnet: "81.2.69.0/24",
      edges: ["ams1"],
    });
    expect(lines().at(-1)?.["client"]).toMatch(/\.0\/24$/);
  }, 60_000);

  it.each(["SIGHUP", "SIGUSR1"] as const)(
    "goes on in a new file when the old one was moved and %s came",
    async (signal) => {
      const moved = `${file}.${signal}`;
      renameSync(file, moved);
      service.signal(signal);
      await waitFor(
        async () => {
          await askOnce();
          return lines().length > 0;
        },
        20_000,
        "a line in the new file",
      );
      expect(lines(moved).length).toBeGreaterThan(0);
      expect(service.stderr()).not.toContain("Debugger");
    },
    60_000,
  );

  it("loses lines and no answers while the disk is full", { timeout: 120_000 }, async () => {
    await logTo("/dev/full");
    const before = await dropped();
    await flood();
    await waitFor(async () => (await dropped()) > before, 20_000, "lines to be counted as dropped");
    console.info(
      `with /dev/full: ${QUERIES} of ${QUERIES} answered, ${(await dropped()) - before} lines dropped`,
    );
  });

  it("loses lines and no answers while nobody reads its pipe", { timeout: 120_000 }, async () => {
    const pipe = join(folder, "pipe");
    expect(spawnSync("mkfifo", [pipe]).status).toBe(0);
    // Opens it, and reads nothing.
    const reader = spawn("sh", ["-c", `exec 3<${pipe}; exec sleep 300`], { stdio: "ignore" });
    try {
      await logTo(pipe);
      await sleep(200);
      const before = await dropped();
      // More than the pipe and the queue behind it hold.
      for (let i = 0; i < 2 || ((await dropped()) === before && i < 6); i++) await flood();
      expect(await dropped()).toBeGreaterThan(before);
      console.info(`with a blocked pipe: all answered, ${(await dropped()) - before} lines dropped`);
    } finally {
      reader.kill();
    }
  });

  it("tells of a file that cannot be opened, and serves on", { timeout: 60_000 }, async () => {
    await logTo(join(folder, "no-such-folder/queries.log"));
    await waitFor(
      () => service.log().some(({ msg }) => msg.startsWith("the query log cannot be opened")),
      20_000,
      "the log to tell of it",
    );
    expect((await askOnce()).rcode).toBe(0);
    await logTo(undefined);
    expect((await askOnce()).rcode).toBe(0);
  });
});
