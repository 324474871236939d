import { expect, it } from "vitest";
import { UP_IPV4 } from "../../src/model/world.ts";
import { select } from "../../src/selection/select.ts";
import { AMSTERDAM, clientOf, fieldOf, LONDON, serviceOf, THREE_EDGES, worldOf } from "./fixture.ts";

const london = { client: clientOf("192.0.2.7"), located: LONDON };
const live = serviceOf(THREE_EDGES, { id: "live", index: 0 });
const vod = serviceOf(THREE_EDGES, { id: "vod", index: 1 });

it("an edge that one service does not believe to be down is down for the others", () => {
  const field = fieldOf(THREE_EDGES);
  const down = worldOf(THREE_EDGES, { down: [AMSTERDAM] });
  const kept = { ...down, keptUp: new Map([[vod.index, Uint8Array.of(UP_IPV4, 0, 0)]]) };
  const first = (service: typeof live, world: typeof down) => select(service, london, field, world).edges[0];
  expect(first(vod, down)?.edge.id).toBe("nyc1");
  expect(first(vod, kept)).toMatchObject({ edge: { id: "ams1" }, up: UP_IPV4 });
  expect(first(live, kept)?.edge.id).toBe("nyc1");
  expect(first(vod, down)?.edge.id, "once it is believed").toBe("nyc1");
});

it("where all are down, it is kept by the one and tried as the last resort by the other", () => {
  const field = fieldOf(THREE_EDGES);
  const down = worldOf(THREE_EDGES, { down: [...THREE_EDGES] });
  const kept = { ...down, keptUp: new Map([[vod.index, Uint8Array.of(UP_IPV4, UP_IPV4, UP_IPV4)]]) };
  expect(select(vod, london, field, kept).outcome.kind).toBe("edges");
  expect(select(live, london, field, kept).outcome.kind).toBe("fail-open");
});

it("addresses that are down are told of where their edge is not tried as the last resort", () => {
  const field = fieldOf(THREE_EDGES);
  const downAddresses = new Map([[AMSTERDAM.index, 0b10]]);
  const world = { ...worldOf(THREE_EDGES, { down: [] }), downAddresses };
  expect(select(live, london, field, world).edges[0]).toMatchObject({
    edge: { id: "ams1" },
    downAddresses: 0b10,
  });
  const resort = { ...worldOf(THREE_EDGES, { down: [...THREE_EDGES] }), downAddresses };
  expect(select(live, london, field, resort).edges[0]).not.toHaveProperty("downAddresses");
});
