import { expect, it } from "vitest";
import type { StreamChecks } from "../../src/model/service.ts";
import { select } from "../../src/selection/select.ts";
import { streamOf } from "../../src/selection/stream.ts";
import { AMSTERDAM, clientOf, fieldOf, LONDON, serviceOf, THREE_EDGES, worldOf } from "./fixture.ts";

const checks = (path: string) => ({ streams: { path } as StreamChecks });

it.each([
  [{}, "/live/cam1/seg5.ts?token=1", "/live/cam1"],
  [{}, "/index.m3u8", undefined],
  [checks("/{stream}/index.m3u8"), "/cam1/index.m3u8", "cam1"],
  [checks("/{stream}/index.m3u8"), "/live/cam1/seg5.ts", "live/cam1"],
  [checks("/hls/{stream}.m3u8"), "/hls/cam1.m3u8?x=/y.z", "cam1"],
  [checks("/hls/{stream}.m3u8"), "/dash/cam1.mpd", undefined],
  [checks("/hls/{stream}"), "/hls/cam1", "cam1"],
])("%o names the stream of %s: %s", (service, path, stream) => {
  expect(streamOf(service, path)).toBe(stream);
});

const viewer = { client: clientOf("192.0.2.7"), located: LONDON, stream: "cam1" };

function chosen(staleAt: readonly number[], stream = "cam1") {
  const world = {
    ...worldOf(THREE_EDGES),
    staleStreams: new Map(staleAt.map((i) => [i, new Set(["cam1"])])),
  };
  const reasons: string[] = [];
  const decision = select(serviceOf(THREE_EDGES), { ...viewer, stream }, fieldOf(THREE_EDGES), world, {
    reject: (edge, reason) => void reasons.push(`${edge.id} ${reason}`),
  });
  return { first: decision.edges[0]?.edge.id, edges: decision.edges.length, reasons };
}

it("leaves out the edge where the stream stands still, for that stream only", () => {
  expect(chosen([AMSTERDAM.index])).toEqual({ first: "nyc1", edges: 2, reasons: ["ams1 stale-stream"] });
  expect(chosen([AMSTERDAM.index], "cam2")).toEqual({ first: "ams1", edges: 3, reasons: [] });
});

it("blames no edge for a stream that stands still everywhere", () => {
  expect(chosen([0, 1, 2])).toEqual({ first: "ams1", edges: 3, reasons: [] });
});
