import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SteeringOptions } from "../../src/steering/steering.ts";
import type { Outcome, RejectionReason } from "../../src/model/decision.ts";
import type { Edge } from "../../src/model/edge.ts";
import { edgeAt } from "../selection/fixture.ts";
import { expectConformance } from "./conformance.ts";
import { ADDRESS, EDGES, type Manifest, type Said, steered } from "./fixture.ts";

const [AMS, SIN, NYC] = EDGES as [Edge, Edge, Edge];
const CLONING = { steering: { isEnabled: true, ttlSeconds: 60, pathways: ["ams1"] } };
const all = (reason: RejectionReason) => EDGES.map((edge) => [edge, reason] as const);

const REFUSED = (reason: "full" | "down" | "no-edges" | "not-allowed"): Outcome => ({
  kind: "refused",
  reason,
});

/** Every state that a service can be in. */
const STATES: { readonly [name: string]: Said | "fails" | "unknown" } = {
  "all well": { edges: EDGES },
  "one edge": {
    edges: [SIN],
    rejected: [
      [AMS, "down"],
      [NYC, "off"],
    ],
  },
  "an edge drains": { edges: [SIN, NYC], rejected: [[AMS, "drain"]] },
  overload: { edges: EDGES, outcome: { kind: "overload" } },
  "fail-open": { edges: EDGES, outcome: { kind: "fail-open" } },
  "all full, refused": { outcome: REFUSED("full"), rejected: all("full") },
  "all down, refused": { outcome: REFUSED("down"), rejected: all("down") },
  "none in service": { outcome: REFUSED("no-edges"), rejected: all("off") },
  "not allowed": { outcome: REFUSED("not-allowed"), rejected: all("not-allowed") },
  fallback: { outcome: { kind: "fallback", fallback: { addresses: [] } }, rejected: all("down") },
  "the first second, nothing known": "unknown",
  "a fault of ours": "fails",
};

const QUERIES = [
  "",
  "?",
  "?_HLS_pathway=ams1&_HLS_throughput=5140000",
  "?_HLS_pathway=%22sin1%22",
  "?_HLS_pathway=sin1.example.net",
  "?_DASH_pathway=%22ams1,sin1%22&_DASH_throughput=5140000,1",
  '?_DASH_pathway="ams1"&s=99999.nyc1&token=a%2Fb',
  "?s=1.gone&_HLS_pathway=gone",
  "?s=&s=x.y&_HLS_pathway=%zz&_HLS_pathway",
  `?_HLS_pathway=${"a,".repeat(3000)}`,
  "?token=a%2Fb&x&CMCD=br%3D3200&=",
];

describe("a manifest that every player takes", () => {
  const cases = Object.keys(STATES).flatMap((state) =>
    [{}, CLONING].map((rules, i) => ({ state, rules, clones: i === 0 ? "without" : "with" })),
  );
  it.each(cases)("$state, $clones clones", ({ state, rules }) => {
    for (const query of QUERIES)
      for (const busy of [0, 1])
        for (const draw of [0, 0.999_999]) {
          const options = { busy: () => busy, random: () => draw };
          const manifest = steered(STATES[state] as Said, rules, options).ask(query);
          expectConformance(manifest as Manifest, ADDRESS);
        }
  });

  it("whatever the query says", () => {
    const { ask } = steered({ edges: EDGES }, CLONING);
    const piece = fc.oneof(
      fc.constantFrom("s=", "_HLS_pathway=", "_DASH_pathway=", "&", "%22", "1.", "ams1", ",", "=", "?"),
      fc.string({ maxLength: 3 }).map((text) => encodeURIComponent(text)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) =>
        expectConformance(ask(`?${pieces.join("")}`) as Manifest, ADDRESS),
      ),
      { numRuns: 500 },
    );
  });

  it("names no more edges than help", () => {
    const edges = Array.from({ length: 300 }, (_, i) => edgeAt(`e${i}`, i, 0, 0));
    const manifest = steered({ edges }, {}, { edges: () => edges }).ask() as Manifest;
    expect(manifest["PATHWAY-PRIORITY"]).toHaveLength(8);
  });

  it("is none once steering has ended", () => {
    const ended = { steering: { isEnabled: false, ttlSeconds: 60 } };
    expect(steered({ edges: EDGES }, ended).ask()).toBeUndefined();
  });
});

describe("the order", () => {
  it("is the decision's", () => {
    expect(steered({ edges: [SIN, NYC, AMS] }).ask()?.["PATHWAY-PRIORITY"]).toEqual(["sin1", "nyc1", "ams1"]);
  });

  it("asks the engine with the edge that the player plays from, and the stream behind the address", () => {
    const { ask, questions } = steered({ edges: EDGES }, CLONING);
    ask("?_HLS_pathway=ams1", "/live/a.m3u8");
    ask("?_HLS_pathway=sin1.example.net");
    ask("?_HLS_pathway=sin1"); // the name of no pathway here: sin1 is a clone
    ask("?_DASH_pathway=%22ams1,nyc1.example.net%22&s=5.nyc1.example.net");
    ask("?s=5.ams1");
    ask("?s=5.ams1&_HLS_pathway=nyc1.example.net");
    expect(questions.map(({ playing }) => playing?.edge.id)).toEqual([
      "ams1",
      "sin1",
      undefined,
      "nyc1",
      "ams1",
      "nyc1",
    ]);
    expect(questions[0]).toMatchObject({ path: "/live/a.m3u8", hostname: "live.example.net" });
    expect(questions[1]).not.toHaveProperty("path");
  });

  it("tells drains who plays where, and asks whose turn to leave it is", () => {
    const isToLeave = (_id: string, lot: number): boolean => lot < 0.3;
    const seen: unknown[] = [];
    const draining = { seen: (...saw: unknown[]) => void seen.push(saw), isToLeave, isHasty: () => false };
    const { ask, questions } = steered({ edges: EDGES }, {}, { draining });
    ask("?_HLS_pathway=ams1&s=29999.ams1");
    ask("?_HLS_pathway=ams1&s=30001.ams1");
    ask("?s=5.gone");
    expect(seen).toEqual([
      ["ams1", 0.29999],
      ["ams1", 0.30001],
      [undefined, 0.00005],
    ]);
    expect(questions.map(({ playing }) => playing?.mayStay)).toEqual([false, true, undefined]);
  });

  it("leaves players where they are when no edge can be chosen", () => {
    const state = { outcome: REFUSED("down"), rejected: all("down") };
    expect(steered(state).ask("?_HLS_pathway=nyc1")?.["PATHWAY-PRIORITY"][0]).toBe("nyc1");
    for (const broken of ["fails", "unknown"] as const)
      expect(steered(broken).ask("?_HLS_pathway=nyc1")?.["PATHWAY-PRIORITY"][0]).toBe("nyc1");
    expect(steered("fails").ask()?.["PATHWAY-PRIORITY"]).toEqual(["ams1", "sin1", "nyc1"]);
  });

  it("tells of a fault in the log", () => {
    const { ask, logged } = steered("fails");
    ask();
    expect(logged).toEqual(["a steering decision failed"]);
  });
});

describe("clones", () => {
  it("are all edges that playlists do not name, by their hostname", () => {
    const manifest = steered({ edges: [SIN, AMS] }, CLONING).ask();
    expect(manifest?.["PATHWAY-PRIORITY"]).toEqual(["sin1.example.net", "ams1"]);
    expect(manifest?.["PATHWAY-CLONES"]).toEqual([
      { "BASE-ID": "ams1", ID: "sin1.example.net", "URI-REPLACEMENT": { HOST: "sin1.example.net" } },
    ]);
  });

  it("never change their meaning: an edge that moves to another host is another clone", () => {
    const moved = EDGES.with(1, { ...SIN, url: "http://sin9.example.net" });
    const [before, after] = [EDGES, moved].map((edges) =>
      steered({ edges }, CLONING, { edges: () => edges })
        .ask()
        ?.["PATHWAY-CLONES"]?.at(0),
    );
    expect(before?.["URI-REPLACEMENT"].HOST).not.toBe(after?.["URI-REPLACEMENT"].HOST);
    expect(before?.ID).not.toBe(after?.ID);
  });

  it("are not there when nothing is cloned", () => {
    expect(steered({ edges: [AMS] }, CLONING).ask()).not.toHaveProperty("PATHWAY-CLONES");
    expect(steered({ edges: EDGES }).ask()).not.toHaveProperty("PATHWAY-CLONES");
  });
});

describe("the TTL", () => {
  const ttl = (said: Said, query = "", options = {}) => steered(said, {}, options).ask(query)?.TTL;

  it("is the service's, spread by 10 %", () => {
    const spread = [0, 0.25, 0.5, 0.75, 1].map((draw) => ttl({ edges: EDGES }, "", { random: () => draw }));
    expect(spread).toEqual([54, 57, 60, 63, 66]);
  });

  it("is short while an edge drains, and for whoever is told to move", () => {
    const draining = (...ids: string[]) => ({
      draining: {
        seen: () => {},
        isToLeave: () => false,
        isHasty: (asked: Iterable<string>) => [...asked].some((id) => ids.includes(id)),
      },
    });
    expect(ttl({ edges: [SIN, AMS] }, "", draining("nyc1"))).toBe(10);
    expect(ttl({ edges: [SIN, AMS] }, "?_HLS_pathway=sin1", draining("nyc1"))).toBe(60);
    expect(ttl({ edges: [SIN, AMS] }, "?_HLS_pathway=sin1", draining("sin1"))).toBe(10);
    expect(ttl({ edges: [SIN], rejected: [[AMS, "down"]] })).toBe(60);
    expect(ttl({ edges: [SIN], rejected: [[AMS, "down"]] }, "?_HLS_pathway=ams1")).toBe(10);
    expect(ttl({ edges: [AMS, SIN] }, "?_HLS_pathway=ams1")).toBe(60);
  });

  it("is longer in overload, of the service or of the door", () => {
    expect(ttl({ edges: EDGES, outcome: { kind: "overload" } })).toBe(120);
    expect(ttl({ edges: EDGES }, "", { busy: () => 0.95 })).toBe(240);
    expect(ttl({ edges: [SIN] }, "?_HLS_pathway=ams1", { busy: () => 0.95 })).toBe(40);
  });
});

describe("the address to reload from", () => {
  const reload = (query: string): string | undefined => steered({ edges: EDGES }).ask(query)?.["RELOAD-URI"];

  it("keeps all but what players add, byte for byte", () => {
    expect(reload("?token=a%2Fb+c&_HLS_pathway=ams1&_HLS_throughput=1&x&CMCD=br%3D1")).toBe(
      `${ADDRESS}?s=50000.ams1&token=a%2Fb+c&x`,
    );
  });

  it("keeps the session's lot, and notes what comes first now", () => {
    expect(reload("?s=123.nyc1&_DASH_pathway=%22ams1%22&_DASH_throughput=1,2")).toBe(`${ADDRESS}?s=123.ams1`);
    expect(reload("?s=<script>&s=1234567.ams1")).toBe(`${ADDRESS}?s=50000.ams1`);
  });
});

describe("what players say of their throughput", () => {
  const EXPERIENCE = { experience: { maxKm: 500, networks: 10 } };
  const said = (query: string, rules: object = EXPERIENCE): string[] => {
    const reports: string[] = [];
    const onReport: SteeringOptions["onReport"] = ({ service, edge, bitsPerSecond }, { address }) =>
      void reports.push(`${service} ${edge} ${bitsPerSecond} ${address.bytes.join(".")}`);
    steered({ edges: EDGES }, rules, { onReport }).ask(query);
    return reports;
  };

  it.each<[string, string[]]>([
    ["?s=5.ams1&_HLS_pathway=ams1&_HLS_throughput=5140000", ["live ams1 5140000 192.0.2.1"]],
    [
      "?_DASH_pathway=%22sin1,ams1%22&_DASH_throughput=1,2.5&s=5.ams1",
      ["live sin1 1 192.0.2.1", "live ams1 2.5 192.0.2.1"],
    ],
    // What a player assumes before it has measured.
    ["?_HLS_pathway=ams1&_HLS_throughput=500000", []],
    // One estimate, and it has just been elsewhere.
    ["?s=5.nyc1&_HLS_pathway=ams1&_HLS_throughput=5140000", []],
    ["?s=5.ams1&_HLS_pathway=ams1", []],
    ["?s=5.gone&_HLS_pathway=gone&_HLS_throughput=1", []],
    ["?s=5.ams1&_DASH_pathway=%22sin1,ams1%22&_DASH_throughput=1", []],
    ["?s=5.ams1&_HLS_pathway=ams1&_HLS_throughput=-1", []],
    ["?s=5.ams1&_HLS_pathway=ams1&_HLS_throughput=1e9", []],
    ["?s=5.ams1&_HLS_pathway=ams1&_HLS_throughput=NaN", []],
  ])("%s", (query, expected) => {
    expect(said(query)).toEqual(expected);
  });

  it("is told of clones by their hosts, and of services that ask for it only", () => {
    const query = "?s=5.sin1.example.net&_HLS_pathway=sin1.example.net&_HLS_throughput=7";
    expect(said(query, { ...EXPERIENCE, ...CLONING })).toEqual(["live sin1 7 192.0.2.1"]);
    expect(said("?s=5.ams1&_HLS_pathway=ams1&_HLS_throughput=7", {})).toEqual([]);
  });
});
