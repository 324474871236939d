import { isDeepStrictEqual } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { type FakeEdge, startEdge } from "./fake-edge.ts";
import { LIVE, LONDON, referenceConfig } from "./reference.ts";
import { sleep, waitFor } from "./wait.ts";
import { takeNetwork } from "./network.ts";
import { firstEdges, serviceForAll } from "./harness.ts";
import { startStream } from "./stream.ts";

const INTERVAL_MS = 300;
const RISE = 3;
const FALL = 2;
/** What the doors may take beyond interval × rise or fall. */
const GRACE_MS = 1000;

describe("an edge that dies and comes back", () => {
  const network = takeNetwork();
  let edges: FakeEdge[];
  afterAll(() => Promise.all(edges.map((edge) => edge.kill())));
  const service = serviceForAll(async () => {
    edges = await Promise.all([1, 2, 3].map((n) => startEdge(network.edge(n))));
    const config = await referenceConfig(network, edges);
    const timing = { interval: `${INTERVAL_MS}ms`, timeout: "250ms", rise: RISE, fall: FALL };
    Object.assign(config["defaults"].probe, timing);
    return config;
  });

  it("is left and found again at both doors in time, and no answer is lost meanwhile", async () => {
    const [amsterdam, , newYork] = edges as [FakeEdge, FakeEdge, FakeEdge];
    const known = new Set(edges.map(({ host }) => host));
    const stream = startStream(service, {
      queriesPerSecond: 400,
      requestsPerSecond: 100,
      query: ({ dns }) => dns.ask(LIVE, { subnet: `${LONDON}/32` }),
      request: (service) => service.get("/live/x.m3u8", { from: LONDON }),
      judgeReply: ({ rcode, addresses }) =>
        rcode === 0 && addresses.length === 1 && addresses.every((address) => known.has(address))
          ? undefined
          : `rcode ${rcode}, ${addresses.join()}`,
      judgeResponse: ({ status, headers }) =>
        status === 302 && known.has(new URL(String(headers["location"])).hostname)
          ? undefined
          : `${status} ${String(headers["location"])}`,
    });
    const bothAt = ({ host }: FakeEdge) => {
      return async () => (await firstEdges(service, LONDON)).every((first) => first === host);
    };
    expect(await bothAt(amsterdam)()).toBe(true);
    await sleep(300);

    await amsterdam.kill();
    await waitFor(bothAt(newYork), INTERVAL_MS * FALL + GRACE_MS, "both doors to leave a dead edge");
    // And stay away.
    await sleep(500);
    expect(await firstEdges(service, LONDON)).toEqual([newYork.host, newYork.host]);
    expect((await service.metrics()).get('edgeward_edge_up{edge="ams1",family="ipv4"}')).toBe(0);

    await amsterdam.start();
    await waitFor(bothAt(amsterdam), INTERVAL_MS * RISE + GRACE_MS, "both doors to come back");

    const result = await stream.stop();
    expect(result.lost).toEqual([]);
    expect(result.wrong).toEqual([]);
    expect(result.replies).toBeGreaterThan(500);
    expect(result.responses).toBeGreaterThan(100);
    const changes = service.log().filter(({ msg }) => msg === "edge health changed");
    expect(changes.filter(({ to }) => to === "down")).toMatchObject([{ level: "warn", edge: "ams1" }]);
  });

  it("is answered as if it were up when all are down, until one comes back", async () => {
    await Promise.all(edges.map((edge) => edge.kill()));
    const outcome = async (): Promise<string> => {
      const { json } = await service.ops("GET", `/v1/explain?hostname=${LIVE}&ip=${LONDON}`);
      return (json as { outcome: { kind: string } }).outcome.kind;
    };
    await waitFor(async () => (await outcome()) === "fail-open", INTERVAL_MS * FALL + GRACE_MS, "fail-open");
    const amsterdam = network.edge(1);
    expect(await firstEdges(service, LONDON)).toEqual([amsterdam, amsterdam]);

    const singapore = edges[1] as FakeEdge;
    await singapore.start();
    await waitFor(
      async () => (await firstEdges(service, LONDON)).every((first) => first === singapore.host),
      INTERVAL_MS * RISE + GRACE_MS,
      "the only edge that is up",
    );
  });
});

describe("an address of an edge that dies and comes back", () => {
  const network = takeNetwork();
  let pair: [FakeEdge, FakeEdge];
  afterAll(() => Promise.all(pair.map((edge) => edge.kill())));
  const service = serviceForAll(async () => {
    const first = await startEdge(network.edge(1));
    pair = [first, await startEdge(network.edge(4), undefined, first.port)];
    const config = await referenceConfig(network, [first]);
    Object.assign(config["edges"].ams1, { addresses: pair.map(({ host }) => host) });
    return config;
  });

  it("is left out of answers while another of its family is up", async () => {
    const [first, second] = pair;
    const answered = async (): Promise<string[]> =>
      (await service.dns.ask(LIVE, { subnet: `${LONDON}/32` })).addresses.toSorted();
    const areAnswered = (...edges: FakeEdge[]) => {
      const hosts = edges.map(({ host }) => host).toSorted();
      return waitFor(async () => isDeepStrictEqual(await answered(), hosts), 10_000, hosts.join());
    };
    await areAnswered(first, second);
    await second.kill();
    await areAnswered(first);
    await second.start();
    await areAnswered(first, second);
    await first.kill();
    await areAnswered(second);
  });
});
