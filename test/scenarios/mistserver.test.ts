import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Config, referenceConfig } from "./reference.ts";
import { freePort, takeFolder, takeNetwork } from "./network.ts";
import { waitFor } from "./wait.ts";
import { PATIENCE_MS, type Service, startService } from "./harness.ts";

/** A MistServer's controller with one stream. */
async function startMist(isReplica: boolean, tags: readonly string[]) {
  const load: Record<string, unknown> = {
    cpu: 200,
    mem_total: 1000,
    mem_used: 100,
    curr: [12, 1, 0, 0, 0],
    bw: [1e6, 1e5],
    bwlimit: 125_000_000,
    tags,
    outputs: { HLS: "http://HOST:8080/hls/$/index.m3u8", DTSC: "dtsc://HOST:4200/$" },
    streams: { "live+cam1": { curr: [12, 1, 0, 0], bw: [1e6, 1e5], ...(isReplica ? { rep: true } : {}) } },
  };
  const server = createServer((request, reply) => {
    if (request.url === "/koekjes.json") reply.end(JSON.stringify(load));
    else reply.end("<!DOCTYPE html><html></html>");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, load, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe("in place of MistServer's balancer", () => {
  const network = takeNetwork();
  const { folder, remove } = takeFolder();
  const mists: Awaited<ReturnType<typeof startMist>>[] = [];
  let service: Service;
  let balancer: string;

  const ask = async (target: string): Promise<[number, string, string | null]> => {
    const answer = await fetch(`${balancer}${target}`, { redirect: "manual" });
    return [answer.status, await answer.text(), answer.headers.get("location")];
  };

  beforeAll(async () => {
    const config: Config = await referenceConfig(network);
    const port = await freePort(network.host);
    balancer = `http://${network.host}:${port}`;
    config["listen"].mistserver = [`${network.host}:${port}`];
    config["mistserver"] = { service: "live" };
    for (const [i, edge] of Object.values<Config>(config["edges"]).entries()) {
      const mist = await startMist(i > 0, i === 0 ? [] : ["spare", edge["addresses"][0]]);
      mists.push(mist);
      delete edge["capacity"];
      edge["load"] = {
        type: "mistserver",
        url: mist.url,
        passphrase: "koekjes",
        interval: "1s",
        timeout: "1s",
        // However busy the machine is that both run on.
        staleAfter: "10m",
      };
    }
    service = await startService({ config, folder });
    await waitFor(async () => !(await ask("/?lstserver=1"))[1].includes("error"), 30_000, "all reports");
  }, PATIENCE_MS);
  afterAll(async () => {
    await service?.stop();
    for (const { server } of mists) server.close();
    remove();
  });

  it("sends players by where they say they are", async () => {
    const singapore = "http://127.0.0.12:8080/hls/live+cam1/index.m3u8?token=abc";
    expect(await ask("/live+cam1?proto=HLS&lat=1.3&lon=103.9&token=abc")).toEqual([
      307,
      singapore,
      singapore,
    ]);
    expect(await ask("/live+cam1?lat=52.4&lon=4.9")).toEqual([200, "127.0.0.11", null]);
  });

  it("sends them by servers' tags too, if they ask for that", async () => {
    const fromAmsterdam = async (rules: object): Promise<string> =>
      (await ask(`/live+cam1?lat=52.4&lon=4.9&tag_adjust=${JSON.stringify(rules)}`))[1];
    expect(await fromAmsterdam({ spare: 250 })).toBe("127.0.0.11");
    expect(await fromAmsterdam({ spare: 350 })).toBe("127.0.0.13");
    expect(await fromAmsterdam({ "127.0.0.12": 1000 })).toBe("127.0.0.12");
    expect(await fromAmsterdam({ "-spare": -3000 })).toBe("127.0.0.13");
    expect(await fromAmsterdam({ "-no such tag": -3000 })).toBe("FULL");
  });

  it("names the origin as source, and where to ingest", async () => {
    expect(await ask("/?source=live%2Bcam1&fallback=x")).toEqual([200, "dtsc://127.0.0.11", null]);
    expect((await ask("/?ingest=5&lat=40.7&lon=-74"))[1]).toBe("127.0.0.13");
  });

  it("counts viewers over all servers, and takes no orders", async () => {
    expect(JSON.parse((await ask("/?viewers=1"))[1])).toEqual({ "live+cam1": 36 });
    expect((await ask("/?delserver=127.0.0.11"))[0]).toBe(403);
  });

  it("takes the limit that a server states where the configuration gives none", async () => {
    const [mist] = mists;
    if (mist === undefined) throw new Error("no server");
    const roomAt = async () =>
      (await service.ops("GET", "/v1/edges/ams1")).json as { loadRatio: number; load: object };
    await waitFor(async () => (await roomAt()).loadRatio === 0, 30_000, "a rate of nothing");
    expect((await roomAt()).load).toMatchObject({ capacity: { bandwidth: 1e9 } });
    mist.load["bwlimit"] = 1;
    mist.load["bw"] = [2e6, 1e5];
    await waitFor(async () => (await roomAt()).loadRatio > 1, 30_000, "a full server");
    mist.load["bwlimit"] = 125_000_000;
    await waitFor(async () => (await roomAt()).loadRatio < 1, 30_000, "room");
  }, 100_000);

  it("says FULL when every edge is out of service", async () => {
    for (const id of ["ams1", "sin1", "nyc1"])
      expect((await service.ops("PUT", `/v1/edges/${id}/state`, { state: "off" })).status).toBe(200);
    expect(await ask("/live+cam1?proto=HLS")).toEqual([200, "FULL", null]);
  });
});
