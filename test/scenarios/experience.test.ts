import { expect, it } from "vitest";
import type { Manifest } from "../steering/fixture.ts";
import { type Config, LIVE, LONDON, referenceConfig, withPackagedDatabases } from "./reference.ts";
import { takeNetwork } from "./network.ts";
import { waitFor } from "./wait.ts";
import { serviceForAll } from "./harness.ts";

let config: Config;
const service = serviceForAll(async () => {
  config = withPackagedDatabases(await referenceConfig(takeNetwork()));
  config["services"].live.experience = { maxKm: 5000, networks: 10 };
  // Frankfurt: 280 km further from London than Amsterdam.
  config["edges"].nyc1.location = { latitude: 50.11, longitude: 8.68 };
  return config;
});

/** London's own is 81.2.69.0/24. */
const NEIGHBOURS = Array.from({ length: 12 }, (_, n) => `81.2.${64 + n}.9`);

async function firstEdges(): Promise<string[]> {
  const { addresses } = await service.dns.ask(LIVE, { subnet: `${LONDON}/32` });
  const redirect = await service.get("/live/a.m3u8", { from: LONDON });
  const steering = (await service.get("/.edgeward/steering", { from: LONDON })).json as Manifest;
  const explained = (await service.ops("GET", `/v1/explain?hostname=${LIVE}&ip=${LONDON}`)).json as {
    edges: { id: string }[];
  };
  const byAddress = (text: string): string =>
    Object.keys(config["edges"]).find((id) =>
      [...config["edges"][id].addresses, config["edges"][id].url].some((each: string) =>
        text.startsWith(each),
      ),
    ) ?? text;
  return [
    byAddress(addresses[0] ?? ""),
    byAddress(String(redirect.headers["location"])),
    steering["PATHWAY-PRIORITY"][0] ?? "",
    explained.edges[0]?.id ?? "",
  ];
}

it("moves those whose neighbours fare badly, through every door, within a minute", {
  timeout: 120_000,
}, async () => {
  expect(await firstEdges()).toEqual(["ams1", "ams1", "ams1", "ams1"]);
  for (const from of NEIGHBOURS) {
    const slow = await service.get("/.edgeward/steering?s=5.ams1&_HLS_pathway=ams1&_HLS_throughput=100000", {
      from,
    });
    const fast = await service.get(
      "/.edgeward/steering?s=5.nyc1&_DASH_pathway=%22nyc1%22&_DASH_throughput=90000000",
      { from },
    );
    expect([slow.status, fast.status]).toEqual([200, 200]);
  }
  const corrected = async (): Promise<number> =>
    (await service.metrics()).get('edgeward_experience_corrected_groups{edge="ams1"}') ?? 0;
  await waitFor(async () => (await corrected()) === 1, 70_000, "the minute's end");
  await waitFor(async () => (await firstEdges()).every((id) => id === "nyc1"), 5000, "all doors to know it");
  const explained = await service.cli("explain", LIVE, LONDON);
  expect(explained.stdout).toContain("PLAYERS km");
});
