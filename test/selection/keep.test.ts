import { describe, expect, it } from "vitest";
import type { Rank, Service } from "../../src/model/service.ts";
import { keepPlaying } from "../../src/selection/keep.ts";
import { select } from "../../src/selection/select.ts";
import { clientOf, edgeAt, fieldOf, locatedAt, NOWHERE, serviceOf, worldOf } from "./fixture.ts";

/** About 111.2 km apart along the equator; the viewer is where the first one is. */
const DEGREE_KM = 111.195;
const NEAR = edgeAt("near", 0, 0, 0);
const CLOSE = edgeAt("close", 1, 0, 199 / DEGREE_KM);
const AWAY = edgeAt("away", 2, 0, 202 / DEGREE_KM);
const EDGES = [NEAR, CLOSE, AWAY];
const HERE = locatedAt({ latitude: 0, longitude: 0 });

type Said = Parameters<typeof worldOf>[1];

interface Case {
  readonly world?: Said;
  readonly rank?: Rank;
  readonly rules?: Partial<Service>;
  readonly stream?: string;
  readonly isNowhere?: boolean;
  readonly mayStay?: boolean;
}

function orderFor(
  playing: typeof NEAR,
  { world: said, rank = "nearest", rules, stream, isNowhere, mayStay = false }: Case,
  most = 8,
) {
  const service = serviceOf(EDGES, { rank, ...rules });
  const world = { ...worldOf(EDGES, said), staleStreams: new Map([[CLOSE.index, new Set(["/frozen"])]]) };
  const viewer = {
    client: clientOf("192.0.2.1"),
    located: isNowhere ? NOWHERE : HERE,
    most,
    ...(stream === undefined ? {} : { stream }),
  };
  const decision = select(service, viewer, fieldOf(EDGES), world);
  return keepPlaying(decision, { edge: playing, mayStay }, viewer.client, world, stream).edges.map(
    ({ edge }) => edge.id,
  );
}

const all = (ratio: number) => EDGES.map((edge) => [edge, ratio] as [typeof edge, number]);

describe("a viewer who plays", () => {
  it.each<[string, typeof NEAR, Case, string]>([
    ["from the best: stays", NEAR, {}, "near"],
    ["from one hardly further: stays", CLOSE, {}, "close"],
    ["from one much further: moves", AWAY, {}, "near"],
    [
      "from one that grew dear, for that is meant for others: stays",
      NEAR,
      { world: { price: [[NEAR, 900]] } },
      "near",
    ],
    [
      "from one much further than a dear one: stays",
      AWAY,
      {
        world: {
          price: [
            [NEAR, 900],
            [CLOSE, 900],
          ],
        },
      },
      "away",
    ],
    [
      "from one much further than a full one: stays",
      AWAY,
      {
        world: {
          load: [
            [NEAR, 1],
            [CLOSE, 1],
          ],
        },
      },
      "away",
    ],
    ["from a full edge: stays", NEAR, { world: { load: [[NEAR, 1]] } }, "near"],
    ["from one that drains: moves", NEAR, { world: { drain: [NEAR] } }, "close"],
    ["from one that is down: moves", NEAR, { world: { down: [NEAR] } }, "close"],
    [
      "from one that drains, before his turn: stays",
      NEAR,
      { world: { drain: [NEAR] }, mayStay: true },
      "near",
    ],
    [
      "from one that drains and is down: moves",
      NEAR,
      { world: { drain: [NEAR], down: [NEAR] }, mayStay: true },
      "close",
    ],
    ["from one that is off: moves", NEAR, { world: { off: [NEAR] } }, "close"],
    ["where his stream stands still: moves", CLOSE, { stream: "/frozen" }, "near"],
    ["where another stream stands still: stays", CLOSE, { stream: "/fine" }, "close"],
    ["further than the service sends anybody: moves", CLOSE, { rules: { maxDistanceKm: 150 } }, "near"],
    [
      "from one twice as full as it may be, as half of its viewers: moves",
      NEAR,
      { world: { load: [[NEAR, 1000]] } },
      "close",
    ],
    ["while all are full: stays", AWAY, { world: { load: all(1) } }, "away"],
    ["while all are down: stays", AWAY, { world: { down: EDGES } }, "away"],
    [
      "from one that is down while the others are full: moves",
      AWAY,
      {
        world: {
          down: [AWAY],
          load: [
            [NEAR, 1],
            [CLOSE, 1],
          ],
        },
      },
      "near",
    ],
    [
      "by load, hardly more: stays",
      AWAY,
      {
        rank: "least-loaded",
        world: {
          load: [
            [NEAR, 0.4],
            [CLOSE, 0.9],
            [AWAY, 0.55],
          ],
        },
      },
      "away",
    ],
    [
      "by load, much more: moves",
      AWAY,
      {
        rank: "least-loaded",
        world: {
          load: [
            [NEAR, 0.4],
            [CLOSE, 0.9],
            [AWAY, 0.65],
          ],
        },
      },
      "near",
    ],
    ["by weight: stays", AWAY, { rank: "weighted" }, "away"],
    ["by failover: goes back to the first", AWAY, { rank: "failover" }, "near"],
    ["somewhere unknown: stays", AWAY, { isNowhere: true }, "away"],
  ])("%s", (_what, playing, state, first) => {
    const order = orderFor(playing, state);
    expect(order[0]).toBe(first);
    expect(new Set(order).size).toBe(order.length);
    // Also where it is not among the few that were asked for.
    if (state.isNowhere !== true) expect(orderFor(playing, state, 1)[0]).toBe(first);
  });

  it("gets no edge from a decision without one", () => {
    expect(orderFor(NEAR, { world: { down: EDGES }, rules: { whenDown: "refuse" } })).toEqual([]);
  });
});
