import { describe, expect, it } from "vitest";
import { addViewers, cool, isWarm, newStreamHeat, viewersOfStream, warm } from "../../src/selection/heat.ts";
import { select } from "../../src/selection/select.ts";
import { hashText } from "../../src/selection/spread.ts";
import { streamKeyOf, streamOf, streamOfHostname } from "../../src/selection/stream.ts";
import type { Choice } from "../../src/model/decision.ts";
import type { Service } from "../../src/model/service.ts";
import { clientOf, edgeAt, fieldOf, locatedAt, LONDON, serviceOf, worldOf } from "./fixture.ts";

/** Six within 400 km of London, and one in New York. */
const LONDON_EDGE = edgeAt("lon1", 0, 51.5, -0.1);
const EDGES = [
  LONDON_EDGE,
  edgeAt("ams1", 1, 52.4, 4.9),
  edgeAt("bru1", 2, 50.9, 4.4),
  edgeAt("par1", 3, 48.9, 2.4),
  edgeAt("man1", 4, 53.5, -2.2),
  edgeAt("lil1", 5, 50.6, 3.1),
  edgeAt("nyc1", 6, 40.7, -74),
];
const CAPACITY = 1000;
const FIELD = fieldOf(EDGES);
const hashOf = (id: string): number => hashText(id);

function streamWorld(said: Parameters<typeof worldOf>[1] = {}) {
  const heat = newStreamHeat(1 << 12);
  const world = {
    ...worldOf(EDGES, said),
    heat,
    perViewer: new Float64Array(EDGES.length).fill(1 / CAPACITY),
  };
  return { heat, world };
}
type StreamWorld = ReturnType<typeof streamWorld>["world"];

function choose(
  world: StreamWorld,
  stream: string | undefined,
  rules: Partial<Service> = {},
  located = LONDON,
) {
  const service = serviceOf(EDGES, { affinity: "stream", affinityWithin: { km: 500, share: 0.2 }, ...rules });
  const viewer = { client: clientOf("192.0.2.7"), located, ...(stream === undefined ? {} : { stream }) };
  return select(service, viewer, FIELD, world);
}

/** Whoever comes first; there is somebody. */
function firstOf(...question: Parameters<typeof choose>): Choice {
  const [first] = choose(...question).edges;
  if (first === undefined) throw new Error("nobody is chosen");
  return first;
}

describe("affinity: stream", () => {
  it("sends viewers of a region to one edge, whichever is nearest to each", () => {
    const { world } = streamWorld();
    const manchester = locatedAt({ latitude: 53.5, longitude: -2.2 });
    const paris = locatedAt({ latitude: 48.9, longitude: 2.4 });
    for (const stream of ["/cam1", "/cam2", "/cam3"]) {
      const firsts = [LONDON, manchester, paris].map(
        (place) => choose(world, stream, { affinityWithin: { km: 700, share: 0 } }, place).edges[0]?.edge.id,
      );
      expect(new Set(firsts).size, stream).toBe(1);
    }
  });

  it("spreads streams over the edges of the region", () => {
    const { world } = streamWorld();
    const firsts = Array.from({ length: 300 }, (_, i) => choose(world, `/cam${i}`).edges[0]?.edge.id);
    const counts = EDGES.slice(0, 6).map(({ id }) => firsts.filter((first) => first === id).length);
    expect(Math.min(...counts)).toBeGreaterThan(20);
    expect(firsts).not.toContain("nyc1");
  });

  it("widens as the stream grows, before the first edges are full, and narrows as it shrinks", () => {
    const { world, heat } = streamWorld();
    const stream = streamKeyOf("/final");
    const used = (viewers: number): Set<string> => {
      const firsts = new Set<string>();
      for (let i = 0; i < viewers; i++) {
        const { edge } = firstOf(world, "/final");
        addViewers(heat, stream, hashOf(edge.id), 1);
        firsts.add(edge.id);
      }
      return firsts;
    };
    expect(used(390).size).toBe(1);
    expect(used(390).size, "its next edge").toBe(2);
    expect(used(1500).size).toBeGreaterThanOrEqual(5);
    for (const { id } of EDGES.slice(0, 5))
      expect(viewersOfStream(heat, stream, hashOf(id)), id).toBeLessThanOrEqual(CAPACITY / 2);
    for (let i = 0; i < 2000; i++) cool(heat, 0.05);
    expect(used(100).size, "cold again").toBe(1);
  });

  it("goes to an edge that has the stream already rather than to another", () => {
    const { world, heat } = streamWorld();
    const before = firstOf(world, "/cam9");
    const other = before.edge === LONDON_EDGE ? "ams1" : "lon1";
    warm(heat, streamKeyOf("/cam9"), hashOf(other));
    const { edge, favour } = firstOf(world, "/cam9");
    expect(edge.id).toBe(other);
    expect(favour).toEqual({ km: 500, why: "warm" });
    expect(before.favour).toEqual({ km: 500, why: "stream" });
  });

  it("passes over an edge with little room, or one that is dearer than the band", () => {
    const { world } = streamWorld();
    const { edge } = firstOf(world, "/cam5");
    const fuller = streamWorld({ load: [[edge, 0.92]] }).world;
    expect(choose(fuller, "/cam5").edges[0]?.edge.id).not.toBe(edge.id);
    const dearer = streamWorld({ price: [[edge, 900]] }).world;
    expect(choose(dearer, "/cam5").edges[0]?.edge.id).not.toBe(edge.id);
  });

  it("is nobody's favour where the stream is not known", () => {
    const { world } = streamWorld();
    const { edges } = choose(world, undefined);
    expect(edges[0]?.edge.id).toBe("lon1");
    expect(edges.every(({ favour }) => favour === undefined)).toBe(true);
  });
});

describe("affinity: viewer", () => {
  const rules: Partial<Service> = { affinity: "viewer", affinityWithin: { km: 200, share: 0.1 } };
  const firstAt = (said: Parameters<typeof worldOf>[1]) => firstOf(streamWorld(said).world, undefined, rules);

  it("keeps his edge over small changes of prices, and says why", () => {
    expect(firstAt({})).toMatchObject({ edge: { id: "lon1" }, favour: { km: 200, why: "viewer" } });
    expect(firstAt({ price: [[LONDON_EDGE, 350]] }).edge.id).toBe("lon1");
  });

  it("leaves it once another is better by more than the band, or it is nearly full, or down", () => {
    expect(firstAt({ price: [[LONDON_EDGE, 600]] }).edge.id).not.toBe("lon1");
    const nearlyFull = firstAt({ load: [[LONDON_EDGE, 0.95]], price: [[LONDON_EDGE, 350]] });
    expect(nearlyFull.edge.id).not.toBe("lon1");
    expect(nearlyFull.favour, "and nobody is pushed on to another").toBeUndefined();
    expect(firstAt({ down: [LONDON_EDGE] }).edge.id).not.toBe("lon1");
  });

  it("keeps one of several at a place whichever is cheaper", () => {
    const dear = edgeAt("a1", 0, 51.5, 0);
    const twins = [dear, edgeAt("a2", 1, 51.5, 0)];
    const decide = (price: number, address: string) =>
      select(
        serviceOf(twins, rules),
        { client: clientOf(address), located: { ...LONDON, prefixLength: 24 } },
        fieldOf(twins),
        worldOf(twins, { price: [[dear, price]] }),
      ).edges[0]?.edge.id;
    const firsts = new Set<string | undefined>();
    for (let i = 0; i < 30; i++) {
      const kept = decide(0, `10.0.${i}.1`);
      expect(decide(60, `10.0.${i}.1`)).toBe(kept);
      firsts.add(kept);
    }
    expect(firsts.size).toBe(2);
  });
});

describe("the heat of streams", () => {
  it("cools down to nothing, and never below", () => {
    const heat = newStreamHeat(16);
    addViewers(heat, 1, 2, 3.5);
    warm(heat, 7, 9);
    expect(viewersOfStream(heat, 1, 2)).toBe(3.5);
    expect(isWarm(heat, 7, 9)).toBe(true);
    for (let i = 0; i < 1000; i++) cool(heat, 0.02);
    expect([...heat].every((parts) => parts === 0)).toBe(true);
  });

  it("leaves what is warm as it is when the edge reports the stream again", () => {
    const heat = newStreamHeat(16);
    addViewers(heat, 1, 2, 5);
    warm(heat, 1, 2);
    expect(viewersOfStream(heat, 1, 2)).toBe(5);
  });
});

describe("the name of a stream", () => {
  it.each([
    ["/live/{stream}/", "/live/cam1/720p/seg1.ts?x=1", "cam1"],
    ["/live/{stream}/", "/live/cam1/index.m3u8", "cam1"],
    ["/{stream}.m3u8", "/cam1.m3u8", "cam1"],
    ["/live/{stream}/", "/vod/film/index.m3u8", undefined],
  ])("by %s in %s is %s", (streamPath, path, name) => {
    expect(streamOf({ streamPath }, path)).toBe(name);
  });

  it("is what stands for the * of the hostname", () => {
    const service = { hostnames: ["live.example.net", "*.live.example.net"] };
    expect(streamOfHostname(service, "cam1.live.example.net")).toBe("cam1");
    expect(streamOfHostname(service, "a.b.live.example.net")).toBe("a.b");
    expect(streamOfHostname(service, "live.example.net")).toBeUndefined();
  });

  it("is the same with and without its first slash", () => {
    expect(streamKeyOf("/live/cam1")).toBe(streamKeyOf("live/cam1"));
  });
});
