import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Config, LIVE, LONDON, referenceConfig, replaceFile, textOf } from "./reference.ts";
import { sleep, waitFor } from "./wait.ts";
import { takeFolder, takeNetwork } from "./network.ts";
import { edgesNamed, firstEdges, PATIENCE_MS, type Service, startService } from "./harness.ts";

const STALE_AFTER_MS = 1500;
const AMSTERDAM = "127.0.0.11";
const NEW_YORK = "127.0.0.13";

describe("what is said of an edge", () => {
  const network = takeNetwork();
  const { folder, remove } = takeFolder();
  let config: Config;
  let service: Service;

  const rejection = async (): Promise<string | undefined> => {
    const { json } = await service.ops("GET", `/v1/explain?hostname=${LIVE}&ip=${LONDON}`);
    const { rejected } = json as { rejected: { id: string; reason: string }[] };
    return rejected.find(({ id }) => id === "ams1")?.reason;
  };

  beforeAll(async () => {
    config = await referenceConfig(network);
    config["defaults"].load = { type: "push", staleAfter: `${STALE_AFTER_MS}ms` };
    service = await startService({ config, folder });
  }, PATIENCE_MS);
  afterAll(async () => {
    await service.stop();
    remove();
  });

  it.each([
    ["viewers", { viewers: 700 }],
    ["more viewers than it holds", { viewers: 5000, bandwidth: 1 }],
    ["bandwidth", { bandwidth: 1e9, viewers: 3 }],
  ])(
    "full by %s: new viewers go to the next, and come back when the report is stale",
    async (_name, report) => {
      expect(await firstEdges(service, LONDON)).toEqual([AMSTERDAM, AMSTERDAM]);

      expect((await service.ops("PUT", "/v1/edges/ams1/load", report)).status).toBe(204);
      const toldMs = performance.now();
      await waitFor(async () => (await firstEdges(service, LONDON))[1] === NEW_YORK, 500, "the next edge");
      expect(await edgesNamed(service, LONDON)).not.toContain(AMSTERDAM);
      expect(await firstEdges(service, LONDON)).toEqual([NEW_YORK, NEW_YORK]);
      expect(await rejection()).toBe("full");
      expect((await service.metrics()).get('edgeward_edge_load_ratio{edge="ams1"}')).toBeGreaterThanOrEqual(
        1,
      );

      await sleep(STALE_AFTER_MS - 300 - (performance.now() - toldMs));
      expect(await firstEdges(service, LONDON), "not before it is stale").toEqual([NEW_YORK, NEW_YORK]);
      await waitFor(
        async () => (await firstEdges(service, LONDON)).every((first) => first === AMSTERDAM),
        300 + 1000,
        "viewers to come back",
      );
      expect((await service.metrics()).has('edgeward_edge_load_ratio{edge="ams1"}')).toBe(false);
    },
  );

  it("nearly full: neighbours take over by its price before it overflows", async () => {
    await service.ops("PUT", "/v1/edges/ams1/load", { viewers: 694 });
    let edges: { id: string; distanceKm: number; priceKm: number }[] = [];
    const price = async (): Promise<number | undefined> => {
      const { json } = await service.ops("GET", `/v1/explain?hostname=${LIVE}&ip=${LONDON}`);
      edges = (json as { edges: typeof edges }).edges;
      return edges.find(({ id }) => id === "ams1")?.priceKm;
    };
    await waitFor(async () => ((await price()) ?? 0) > 100, 500, "the price of the last places");
    const scores = edges.map(({ distanceKm, priceKm }) => distanceKm + priceKm);
    expect(edges).toHaveLength(3);
    expect(scores).toEqual([...scores].sort((a, b) => a - b));
    await waitFor(async () => (await price()) === 0, STALE_AFTER_MS + 1000, "the price to fall");
  });

  it("drained by command: no new viewers at both doors, over a restart too, with who, when and why", {
    timeout: PATIENCE_MS,
  }, async () => {
    const beforeMs = Date.now();
    const drained = await service.cli("drain", "ams1", "--reason", "new disks");
    expect(drained.code, drained.stderr).toBe(0);
    expect(await edgesNamed(service, LONDON)).not.toContain(AMSTERDAM);
    expect(await rejection()).toBe("drain");

    await service.stop();
    service = await startService({ config, folder });
    expect(await edgesNamed(service, LONDON), "after a restart").not.toContain(AMSTERDAM);
    expect(await rejection()).toBe("drain");

    const { stdout } = await service.cli("edges", "ams1", "-o", "json");
    const edge = JSON.parse(stdout) as { state: string; stateOrigin: { atMs: number } };
    expect(edge).toMatchObject({
      state: "drain",
      stateOrigin: { kind: "operator", by: "local", reason: "new disks" },
    });
    expect(edge.stateOrigin.atMs).toBeGreaterThanOrEqual(beforeMs);
    expect(edge.stateOrigin.atMs).toBeLessThanOrEqual(Date.now());
    const table = await service.cli("edges", "ams1");
    for (const word of ["drain", "local", "new disks", String(new Date(beforeMs).getFullYear())])
      expect(table.stdout).toContain(word);

    const again = await service.cli("drain", "ams1", "--reason", "and new fans", "-o", "json");
    expect(JSON.parse(again.stdout)).toMatchObject({
      condition: { stateOrigin: { reason: "and new fans" } },
      replaced: { state: "drain", stateOrigin: { by: "local", reason: "new disks" } },
    });
    const undrained = await service.cli("undrain", "ams1");
    expect(undrained.code, undrained.stderr).toBe(0);
    expect(await firstEdges(service, LONDON)).toEqual([AMSTERDAM, AMSTERDAM]);
    await service.stop();
    service = await startService({ config, folder });
    expect(await firstEdges(service, LONDON), "after another restart").toEqual([AMSTERDAM, AMSTERDAM]);
  });

  it("drained for a while: ends by itself", { timeout: PATIENCE_MS }, async () => {
    const { code, stderr } = await service.cli("drain", "ams1", "--until", "2s");
    expect(code, stderr).toBe(0);
    expect(await edgesNamed(service, LONDON)).not.toContain(AMSTERDAM);
    await waitFor(
      async () => (await firstEdges(service, LONDON))[0] === AMSTERDAM,
      3000,
      "the end of the drain",
    );
  });

  it("drained, left out of the configuration and put back: drained still, until the operator has it forgotten", {
    timeout: PATIENCE_MS,
  }, async () => {
    const reloadWith = async (edges: Config): Promise<void> => {
      replaceFile(service.configFile, textOf({ ...config, edges }));
      const { code, stderr } = await service.cli("reload");
      expect(code, stderr).toBe(0);
    };
    const { ams1, ...others } = config["edges"] as { [id: string]: Config };
    await service.cli("drain", "ams1", "--reason", "new disks");
    await reloadWith(others);
    const { stdout } = await service.cli("edges");
    expect(stdout).toMatch(
      /\nams1 is not configured any more; if it comes back: drain, by local .+: new disks; /,
    );
    await reloadWith({ ...others, ams1 });
    expect(await rejection()).toBe("drain");
    expect((await service.ops("GET", "/v1/status")).json).toMatchObject({ absentEdges: [] });
    await reloadWith(others);
    expect((await service.ops("GET", "/v1/status")).json).toMatchObject({ absentEdges: [{ id: "ams1" }] });
    expect((await service.cli("undrain", "ams1")).stdout).toContain("forgotten");
    await reloadWith({ ...others, ams1 });
    expect(await firstEdges(service, LONDON)).toEqual([AMSTERDAM, AMSTERDAM]);
  });

  it("says no to an edge that does not exist, and names those that do", async () => {
    const { code, stderr } = await service.cli("drain", "ams2");
    expect(code).toBe(1);
    expect(stderr).toContain("ams1");
  });
});
