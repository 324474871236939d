import { afterAll, beforeAll, expect, it } from "vitest";
import { expectConformance } from "../steering/conformance.ts";
import type { Manifest } from "../steering/fixture.ts";
import { type Config, LIVE, LONDON, referenceConfig, replaceFile, textOf, TOKYO } from "./reference.ts";
import { takeFolder, takeNetwork } from "./network.ts";
import { waitFor } from "./wait.ts";
import { PATIENCE_MS, type Service, startService } from "./harness.ts";

const network = takeNetwork();
const { folder, remove } = takeFolder();
let config: Config;
let service: Service;

beforeAll(async () => {
  config = await referenceConfig(network);
  config["services"].live.dns = { ttl: "1s", answers: 2 };
  config["services"].vod.dns = { ttl: "1s", answers: 1 };
  config["defaults"].load = { type: "push", staleAfter: "10m" };
  service = await startService({ config, folder });
}, PATIENCE_MS);
afterAll(async () => {
  await service.stop();
  remove();
});

async function steer(query = "", from = LONDON): Promise<Manifest> {
  const reply = await service.get(`/.edgeward/steering${query}`, { from });
  expect(reply.status).toBe(200);
  expect(reply.headers).toMatchObject({
    "content-type": "application/json",
    "cache-control": "no-store",
    "access-control-allow-origin": "*",
  });
  expectConformance(reply.json as Manifest, `http://${LIVE}/.edgeward/steering`);
  return reply.json as Manifest;
}

async function first(query = "", from = LONDON): Promise<string | undefined> {
  return (await steer(query, from))["PATHWAY-PRIORITY"][0];
}

const setState = (id: string, state: string) =>
  service.ops("PUT", `/v1/edges/${id}/state`, { state, reason: "a test" });

it("names the edges that the redirect would, best first", { timeout: PATIENCE_MS }, async () => {
  expect((await steer("", LONDON))["PATHWAY-PRIORITY"]).toEqual(["ams1", "nyc1", "sin1"]);
  expect((await steer("", TOKYO))["PATHWAY-PRIORITY"]).toEqual(["sin1", "ams1", "nyc1"]);
  const samples = await service.metrics();
  expect(samples.get('edgeward_decisions_total{service="live",edge="ams1",door="steering"}')).toBe(1);
});

it("moves who plays from an edge that drains, comes back, and says so by a short TTL", {
  timeout: PATIENCE_MS,
}, async () => {
  expect(await first("?_HLS_pathway=ams1")).toBe("ams1");
  await setState("ams1", "drain");
  const manifest = await steer("?_HLS_pathway=ams1");
  expect(manifest["PATHWAY-PRIORITY"]).toEqual(["nyc1", "sin1"]);
  expect(manifest.TTL).toBeLessThanOrEqual(11);
  await setState("ams1", "active");
  // New York is further than worth staying for.
  expect(await first("?_HLS_pathway=nyc1")).toBe("ams1");
});

it("drains by a deadline: the viewers by their lots, over a restart, and says when it is done", {
  timeout: PATIENCE_MS,
}, async () => {
  const drain = (await service.ops("PUT", "/v1/edges/ams1/state", { state: "drain", deadline: "10m" }))
    .json as {
    condition: { stateOrigin: { deadlineMs: number } };
  };
  expect(drain.condition.stateOrigin.deadlineMs).toBeGreaterThan(Date.now() + 590_000);
  await service.ops("PUT", "/v1/edges/ams1/load", { viewers: 2 });
  const early = "?_HLS_pathway=ams1&s=0.ams1";
  const late = "?_HLS_pathway=ams1&s=99999.ams1";
  const view = async () =>
    (await service.ops("GET", "/v1/edges/ams1")).json as { drain: Record<string, number> };
  await waitFor(async () => (await first(early)) === "nyc1", 30_000, "the first to leave");
  expect(await first(late)).toBe("ams1");
  await waitFor(async () => (await view()).drain["viewersLeft"] === 2, 30_000, "the report");
  expect((await view()).drain).toMatchObject({ steeredHere: 2, viewersLeft: 2 });
  expect((await service.metrics()).get('edgeward_drain_viewers_left{edge="ams1"}')).toBe(2);

  await service.stop();
  service = await startService({ config, folder });
  expect(await first(late)).toBe("ams1");
  await waitFor(async () => (await first(early)) === "nyc1", 30_000, "the first to leave, after a restart");
  expect((await view()).drain["deadlineMs"]).toBe(drain.condition.stateOrigin.deadlineMs);

  // Nobody may be sent there any more when an answer of before has been forgotten.
  await service.ops("PUT", "/v1/edges/ams1/load", { viewers: 0 });
  const waiting = await service.cli("drain", "ams1", "--by", "2s", "--wait");
  expect(waiting.code, waiting.stderr).toBe(0);
  expect(waiting.stdout).toContain("ams1 is empty for");
  expect(service.log().some(({ msg, edge }) => msg.startsWith("edge drained") && edge === "ams1")).toBe(true);
  await setState("ams1", "active");
});

it("keeps those who play from an edge that is full", { timeout: PATIENCE_MS }, async () => {
  await service.ops("PUT", "/v1/edges/ams1/load", { viewers: 700 });
  await waitFor(async () => (await first()) === "nyc1", 30_000, "new viewers to go elsewhere");
  expect(await first("?_DASH_pathway=%22ams1%22&_DASH_throughput=5000000")).toBe("ams1");
  await service.ops("PUT", "/v1/edges/ams1/load", { viewers: 1 });
  await waitFor(async () => (await first()) === "ams1", 30_000, "room again");
});

it("stays a manifest when no edge is left", { timeout: PATIENCE_MS }, async () => {
  const unserved: unknown[] = [];
  for (const id of ["ams1", "sin1", "nyc1"])
    unserved.push(((await setState(id, "off")).json as { unserved?: string[] }).unserved);
  expect(unserved).toEqual([undefined, ["vod"], ["live"]]);
  const manifest = await steer("?_HLS_pathway=sin1");
  expect(manifest["PATHWAY-PRIORITY"]).toEqual(["sin1", "ams1", "nyc1"]);
  for (const id of ["ams1", "sin1", "nyc1"]) await setState(id, "active");
});

it("clones what playlists do not name, and ends, with a configuration that says so", {
  timeout: PATIENCE_MS,
}, async () => {
  // The three edges of the reference listen on hosts of their own, at one port.
  config["services"].live.steering = { pathways: ["nyc1"], ttl: "20s" };
  replaceFile(service.configFile, textOf(config));
  await waitFor(async () => (await first()) === "127.0.0.11", 30_000, "clones");
  const manifest = await steer("?_HLS_pathway=127.0.0.11");
  expect(manifest["PATHWAY-PRIORITY"]).toEqual(["127.0.0.11", "nyc1", "127.0.0.12"]);
  expect(manifest["PATHWAY-CLONES"]?.[0]).toEqual({
    "BASE-ID": "nyc1",
    ID: "127.0.0.11",
    "URI-REPLACEMENT": { HOST: "127.0.0.11" },
  });
  expect(manifest.TTL).toBeLessThanOrEqual(22);

  config["services"].live.steering = { enabled: false };
  replaceFile(service.configFile, textOf(config));
  const status = async () => (await service.get("/.edgeward/steering")).status;
  await waitFor(async () => (await status()) === 410, 30_000, "the end of steering");
});
