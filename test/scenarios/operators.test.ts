import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { request } from "undici";
import { LIVE, LONDON, referenceConfig, replaceFile, TOKYO } from "./reference.ts";
import { takeNetwork } from "./network.ts";
import { waitFor } from "./wait.ts";
import { serviceForAll } from "./harness.ts";

const SHARED = "shared.cdn.example.net";
const service = serviceForAll(async () => {
  const config = await referenceConfig(takeNetwork());
  for (const id of ["a", "b"])
    config["services"][id] = { hostnames: [SHARED], paths: [`/${id}/*`], edges: { tags: ["live"] } };
  return config;
});

it("tells of decisions at every door to who watches", async () => {
  const { host, port } = service.doors.ops;
  const stream = await request(`http://${host}:${port}/v1/events`);
  let text = "";
  stream.body.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const told = (): { door: string }[] =>
    [...text.matchAll(/^event: decision\ndata: (.*)$/gm)].map(
      ([, data = ""]) => (JSON.parse(data) as { decision: { door: string } }).decision,
    );
  // Nobody knows from when on the threads know that somebody watches.
  const ask = [
    ["http", () => service.get("/live/x.m3u8", { from: LONDON })],
    ["steering", () => service.get("/.edgeward/steering", { from: LONDON })],
    ["dns", () => service.dns.ask(LIVE, { subnet: `${TOKYO}/32` })],
  ] as const;
  for (const [door, once] of ask)
    await waitFor(
      async () => {
        await once();
        return told().some((one) => one.door === door);
      },
      5000,
      `a decision for ${door}`,
    );
  expect(told()).toContainEqual({
    door: "http",
    service: "live",
    outcome: "edges",
    edges: ["ams1"],
    country: "GB",
    distanceKm: expect.closeTo(355, -1) as number,
  });
  expect(text).not.toContain(LONDON);
  stream.body.on("error", () => {}).destroy();
});

it("explains a path that no service of the hostname has as the door answers it", async () => {
  expect((await service.get("/c/x", { host: SHARED })).status).toBe(404);
  const run = await service.cli("explain", SHARED, LONDON, "--path", "/c/x");
  expect(run).toMatchObject({
    code: 1,
    stderr: "edgeward: No service of this hostname has this path: there are /a/*, /b/*\n",
  });
  const found = await service.cli("explain", SHARED, LONDON, "--path", "/b/x?token=1", "-o", "json");
  expect(JSON.parse(found.stdout)).toMatchObject({ service: "b" });
});

it("has an alarm while the file is not what holds", async () => {
  const right = readFileSync(service.configFile, "utf8");
  replaceFile(service.configFile, right.replace("stickiness: 0s", "stikiness: 0s"));
  expect((await service.cli("reload")).code).toBe(3);
  const health = await service.cli("health");
  expect(health.code).toBe(0);
  expect(health.stdout).toBe(
    "ready\nalarm: the configuration as it is now is refused, an older one holds: edgeward reload says why\n",
  );
  replaceFile(service.configFile, right);
  expect((await service.cli("reload")).code).toBe(0);
  expect((await service.cli("health")).stdout).toBe("ready\n");
});
