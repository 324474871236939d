import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CALIFORNIA, LIVE, LONDON, referenceConfig, TOKYO, withPackagedDatabases } from "./reference.ts";
import { type FakeEdge, startEdge } from "./fake-edge.ts";
import { sleep, waitFor } from "./wait.ts";
import { takeFolder, takeNetwork } from "./network.ts";
import { PATIENCE_MS, type Service, startService } from "./harness.ts";
import { isUnboundMissing, startUnbound, type Unbound } from "./unbound.ts";

const TTL_SECONDS = 2;
/** A whole /16 near Singapore: its viewers decide alike. */
const SINGAPORE_NETWORK = "203.119";

describe.skipIf(isUnboundMissing && process.env["CI"] === undefined)(
  "behind a resolver with client subnet",
  () => {
    const network = takeNetwork();
    const { folder, remove } = takeFolder();
    let edges: FakeEdge[];
    let service: Service;
    let unbound: Unbound;

    beforeAll(async () => {
      edges = await Promise.all([1, 2, 3].map((n) => startEdge(network.edge(n))));
      const config = withPackagedDatabases(await referenceConfig(network, edges));
      config["services"].live.dns = { ttl: `${TTL_SECONDS}s`, answers: 1 };
      config["places"] = {
        [`${SINGAPORE_NETWORK}.0.0/16`]: { latitude: 1.35, longitude: 103.82, country: "SG" },
      };
      service = await startService({ config, folder });
      unbound = await startUnbound(
        network.host,
        "cdn.example.net",
        service.doors.dns,
        join(folder, "unbound"),
      );
    }, PATIENCE_MS);
    afterAll(async () => {
      await unbound?.stop();
      await service.stop();
      await Promise.all(edges.map((edge) => edge.kill()));
      remove();
    });

    const addressFor = async (subnet: string): Promise<string> => {
      const { rcode, addresses } = await unbound.ask(LIVE, subnet);
      expect(rcode).toBe(0);
      return addresses.join();
    };
    const networkOf = (address: string): string => address.replace(/\d+$/, "0/24");
    const queriesSoFar = async (): Promise<number> => {
      const samples = [...(await service.metrics())];
      return samples.reduce(
        (sum, [name, value]) => sum + (name.startsWith("edgeward_dns_requests_total") ? value : 0),
        0,
      );
    };
    const hosts = (): string[] => edges.map(({ host }) => host);

    it("RFC 7871 7.3: viewers of different networks get their own edges, also out of its cache", async () => {
      const viewers = [LONDON, TOKYO, CALIFORNIA].map(networkOf);
      const [amsterdam, singapore, newYork] = hosts();
      const first = [];
      for (const viewer of viewers) first.push(await addressFor(viewer));
      expect(first).toEqual([amsterdam, singapore, newYork]);
      for (const [i, viewer] of viewers.toReversed().entries())
        expect(await addressFor(viewer)).toBe(first.at(-1 - i));
    });

    it("RFC 7871 7.3.1: within a scope the cache answers, beyond it it asks", async () => {
      const { scopePrefixLength = 32 } = await service.dns.ask(LIVE, {
        subnet: `${SINGAPORE_NETWORK}.7.0/24`,
      });
      expect(scopePrefixLength).toBeLessThanOrEqual(16);
      await sleep(TTL_SECONDS * 1000 + 500);
      const before = await queriesSoFar();
      for (let i = 0; i < 40; i++)
        expect(await addressFor(`${SINGAPORE_NETWORK}.${i * 5}.0/24`)).toBe(hosts()[1]);
      const asked = (await queriesSoFar()) - before;
      // One, and one more for each TTL that a slow machine takes for it.
      expect(asked).toBeGreaterThan(0);
      expect(asked).toBeLessThan(20);
      expect(await addressFor(networkOf(LONDON))).toBe(hosts()[0]);
    });

    it("viewers leave an edge that dies within TTL and detection", async () => {
      const [amsterdam] = edges as [FakeEdge, ...FakeEdge[]];
      const london = networkOf(LONDON);
      expect(await addressFor(london)).toBe(amsterdam.host);
      const diedAtMs = performance.now();
      await amsterdam.kill();
      const condition = async () => (await service.ops("GET", "/v1/edges/ams1")).json.health[0].health;
      const detectedMs = await waitFor(async () => (await condition()) === "down", 30_000, "ams1 to be down");
      await waitFor(async () => (await addressFor(london)) !== amsterdam.host, 30_000, "the viewers to move");
      const movedMs = performance.now() - diedAtMs;
      const seconds = (ms: number): string => (ms / 1000).toFixed(1);
      console.info(
        `viewers behind unbound moved after ${seconds(movedMs)} s: detected after ${seconds(detectedMs)} s, TTL ${TTL_SECONDS} s`,
      );
      // Detection as it really was on this machine, and what one TTL in whole seconds may add.
      expect(movedMs).toBeLessThan(detectedMs + TTL_SECONDS * 1000 + 3000);
      await amsterdam.start();
    });
  },
);
