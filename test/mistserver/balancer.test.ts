import { describe, expect, it } from "vitest";
import type { Condition, LoadReport } from "../../src/model/condition.ts";
import type { Decision } from "../../src/model/decision.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { MistServerDetails, MistStream } from "../../src/model/mistserver.ts";
import { type BalancerContext, mistReply, type Wanted } from "../../src/mistserver/balancer.ts";
import type { Server } from "../../src/mistserver/reply.ts";
import { clientAt } from "../../src/mistserver/request.ts";
import { parseAddress } from "../../src/base/address.ts";
import { choiceOf, decisionOf, edgeOf } from "../http/fixture.ts";

const stream = (name: string, more: Partial<MistStream> = {}): MistStream => ({
  name,
  viewers: 0,
  inputs: 1,
  octetsOut: 0,
  octetsIn: 0,
  isReplica: false,
  ...more,
});

function server(id: string, load: LoadReport, details?: MistServerDetails, more: Partial<Edge> = {}): Server {
  const edge = { ...edgeOf(id, `http://${id}.example.net:8080`), ...more };
  const condition: Condition = {
    edgeId: id,
    health: [],
    state: "active",
    stateOrigin: { kind: "file" },
    load,
    ...(Object.keys(load).length === 0 ? {} : { reportAgeMs: 10 }),
  };
  return { edge, condition, details };
}

const OUTPUTS = { HLS: "http://HOST:8080/hls/$/index.m3u8", DTSC: "dtsc://HOST:4200/$" };
const EDGE1 = server(
  "edge1",
  {
    viewers: 412,
    bandwidth: 620_000_000,
    cpu: 0.23,
    memory: 0.44,
    streams: ["live+cam1"],
    capacity: { bandwidth: 1e10 },
  },
  {
    outputs: OUTPUTS,
    streams: [
      stream("live+cam1", { viewers: 300, octetsOut: 5, octetsIn: 2, isReplica: true }),
      stream("live+cam2", { viewers: 112 }),
    ],
    tags: ["eu", "nvme"],
  },
  { location: { latitude: 52.3702, longitude: 4.8952 }, tags: ["ams", "eu"] },
);
const EDGE2 = server(
  "edge2",
  { viewers: 7, cpu: 0.95 },
  { outputs: {}, streams: [stream("live+cam1", { viewers: 7, octetsOut: 10 })], tags: [] },
  { addresses: [parseAddress("192.0.2.2")].flatMap((address) => address ?? []) },
);
const EDGE3 = server("edge3", {});

function balancer(decided: readonly Server[] = [EDGE1, EDGE2], more: Partial<BalancerContext> = {}) {
  const wanted: [Wanted, boolean][] = [];
  const context: BalancerContext = {
    settings: { service: 0, fallback: "FULL", outputs: { RTMP: "rtmp://HOST:1935/play/$" } },
    decide: (asked, isCounted): Decision | undefined => {
      wanted.push([asked, isCounted]);
      return decisionOf(decided.map(({ edge }) => edge));
    },
    servers: () => [EDGE1, EDGE2, EDGE3],
    ...more,
  };
  const ask = (target: string, headers = {}, from = "198.51.100.7", method = "GET") =>
    mistReply({ method, target, headers, client: clientAt(from) }, context);
  return { ask, wanted };
}

describe("a player's /STREAM", () => {
  it("is answered with the host alone without proto, and counted as a viewer there", () => {
    const { ask, wanted } = balancer();
    expect(ask("/live+cam1")).toEqual({ status: 200, body: "edge1.example.net", call: "stream" });
    expect(wanted).toMatchObject([[{ stream: "live+cam1" }, true]]);
  });

  it.each([
    ["/live+cam1?proto=HLS", "http://edge1.example.net:8080/hls/live+cam1/index.m3u8"],
    [
      "/live+cam1?proto=hls&token=a%26b",
      "http://edge1.example.net:8080/hls/live+cam1/index.m3u8?token=a%26b",
    ],
    ["/a%20b?lat=1&proto=RTMP&lon=2&t=1&tag_adjust={}", "rtmp://edge1.example.net:1935/play/a%20b?t=1"],
    ["/x%0D%0ASet-Cookie:a?proto=HLS", "http://edge1.example.net:8080/hls/x%0D%0ASet-Cookie%3Aa/index.m3u8"],
    ["/@evil.example.org/?proto=HLS", "http://edge1.example.net:8080/hls/%40evil.example.org//index.m3u8"],
  ])("%s is redirected to %s, without the balancer's own arguments", (target, location) => {
    expect(balancer().ask(target)).toEqual({ status: 307, location, body: location, call: "stream" });
  });

  it("goes to the next server where the best has no such output, and nowhere if none has", () => {
    const { ask } = balancer([EDGE2, EDGE1]);
    expect(ask("/live?proto=HLS").location).toBe("http://edge1.example.net:8080/hls/live/index.m3u8");
    expect(ask("/live?proto=RTMP").location).toBe("rtmp://edge2.example.net:1935/play/live");
    expect(ask("/live?proto=constructor")).toMatchObject({ status: 404 });
  });

  it.each([
    ["198.51.100.7", 0, "192.0.2.2"],
    ["198.51.100.7", 0b010, "192.0.2.3"],
    ["198.51.100.7", 0b110, "[2001:db8::2]"],
    ["198.51.100.7", 0b111, "[2001:db8::2]"],
    ["2001:db8::7", 0b010, "[2001:db8::2]"],
    ["2001:db8::7", 0b001, "192.0.2.2"],
  ])("from %s goes to an address that is up, of its family if there is one", (from, downAddresses, host) => {
    const { url: _, ...nameless } = EDGE1.edge;
    const addresses = ["2001:db8::2", "192.0.2.2", "192.0.2.3"].flatMap((text) => parseAddress(text) ?? []);
    const choice = { ...choiceOf({ ...nameless, addresses }), downAddresses };
    const decide = (): Decision => decisionOf([], { edges: [choice] });
    const { ask } = balancer([], { decide });
    expect(ask("/live+cam1", {}, from).body).toBe(host);
    expect(ask("/live+cam2?proto=RTMP", {}, from).location).toBe(`rtmp://${host}:1935/play/live+cam2`);
    expect(ask("/?ingest=5", {}, from).body).toBe(host);
    expect(ask("/?source=live%2Bcam2", {}, from).body).toBe(`dtsc://${host}`);
  });

  it.each(["/live", "/live?proto=HLS"])("%s is FULL when nobody can take anyone", (target) => {
    expect(balancer([]).ask(target)).toEqual({ status: 200, body: "FULL", call: "stream" });
    expect(balancer([], { decide: () => undefined }).ask(target).body).toBe("FULL");
  });

  it("is taken to be where lat and lon say, in arguments or headers, and only then", () => {
    const { ask, wanted } = balancer();
    ask("/live?lat=52.4&lon=4.9");
    ask("/live", { "x-latitude": "1.35", "x-longitude": "103.8" });
    for (const nonsense of ["lat=&lon=", "lat=0&lon=0", "lat=91&lon=0", "lat=1", "lat=x&lon=y"])
      ask(`/live?${nonsense}`);
    expect(wanted.map(([{ place }]) => place)).toEqual([
      { latitude: 52.4, longitude: 4.9 },
      { latitude: 1.35, longitude: 103.8 },
      ...Array<undefined>(5).fill(undefined),
    ]);
  });

  it("can prefer servers by their tags, in an argument or a header, and so can servers", () => {
    const { ask, wanted } = balancer();
    ask("/live?tag_adjust=%7B%22nvme%22:10%7D");
    ask("/live", { "x-tag-adjust": '{"nvme":10}' });
    ask('/?source=live&tag_adjust={"nvme":10}');
    ask('/?ingest=5&tag_adjust={"nvme":10}');
    ask("/live?tag_adjust=x");
    const [preferred, other] = [EDGE1, EDGE2].map(({ edge }) => choiceOf(edge, 100));
    expect(wanted.map(([{ bias }]) => bias && [preferred, other].map((each) => each && bias(each)))).toEqual([
      ...Array.from({ length: 4 }, () => [-200.15, 0]),
      undefined,
    ]);
  });

  it("has a name of a sensible length", () => {
    expect(balancer().ask(`/${"x".repeat(600)}`).status).toBe(404);
    expect(balancer().ask("/favicon.ico").status).toBe(404);
  });
});

describe("a server's ?source=", () => {
  it("names the server that has the stream from its origin, not a replica", () => {
    const { ask, wanted } = balancer();
    expect(ask("/?source=live%2Bcam1")).toEqual({
      status: 200,
      body: "dtsc://edge2.example.net",
      call: "source",
    });
    expect(wanted.at(-1)?.[1]).toBe(false);
  });

  it("names nobody but others to whoever asks, and the fallback where there is none", () => {
    const { ask } = balancer();
    expect(ask("/?fallback=dtsc://origin&source=live%2Bcam1", {}, "::ffff:192.0.2.2").body).toBe(
      "dtsc://origin",
    );
    expect(ask("/?source=nothing").body).toBe("FULL");
  });
});

describe("a publisher's ?ingest=", () => {
  it("names the best server that has so much CPU left", () => {
    const { ask } = balancer([EDGE2, EDGE1]);
    expect(ask("/?ingest=3").body).toBe("edge2.example.net");
    expect(ask("/?ingest=20").body).toBe("edge1.example.net");
    expect(ask("/?ingest=99&fallback=x").body).toBe("x");
  });
});

describe("an operator", () => {
  const { ask } = balancer();
  const json = (target: string): unknown => JSON.parse(ask(target).body);

  it("sees every server's state", () => {
    expect(json("/")).toEqual({
      "edge1.example.net": {
        bwlimit: 1_250_000_000,
        cpu: 23,
        down: 0,
        geo: { lat: 52.3702, loc: "edge1", lon: 4.8952 },
        ram: 44,
        score: { bw: 938, cpu: 385, ram: 280 },
        streams: 1,
        tags: ["ams", "eu", "nvme"],
        up: 77_500_000,
        up_add: 0,
        viewers: 412,
      },
      "edge2.example.net": expect.objectContaining({ viewers: 7, cpu: 95, bwlimit: 134_217_728 }) as object,
      "edge3.example.net": "Monitored (error)",
    });
    expect(ask("/").body).toMatch(/^\{\n\t"edge1/);
  });

  it("sees one server, the list, viewers and streams", () => {
    expect(json("/?host=edge3.example.net")).toEqual({ "edge3.example.net": "Monitored (error)" });
    expect(json("/?lstserver=1")).toMatchObject({
      "edge1.example.net": "Monitored (online)",
      "edge3.example.net": "Monitored (error)",
    });
    expect(json("/?viewers=1")).toEqual({ "live+cam1": 307, "live+cam2": 112 });
    expect(ask("/?stream=live%2Bcam1").body).toBe("307");
    expect(ask("/?stream=nothing").body).toBe("0");
    expect(json("/?streamstats=*")).toMatchObject({
      "live+cam1": [307, 0, 15, 2],
      "live+cam2": [112, 188_107, 0, 0],
    });
    expect(json("/?streamstats=live")).toHaveProperty("live+cam2");
    expect(json("/?streamstats=liv")).toEqual({});
    expect(json("/?weights=1")).toMatchObject({ bw: 1000, cpu: 500, geo: 1000 });
  });

  it("changes nothing", () => {
    for (const target of ["/?addserver=x", "/?delserver=edge1.example.net", '/?weights={"cpu":1}'])
      expect(ask(target)).toMatchObject({ status: 403 });
    expect(ask("/live", {}, "192.0.2.9", "POST").status).toBe(405);
  });
});
