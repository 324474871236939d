import { beforeEach, describe, expect, it } from "vitest";
import { parseAddress } from "../../src/base/address.ts";
import { firstBits } from "../../src/base/network-group.ts";
import { valueAt } from "../../src/base/triple-table.ts";
import { createExperience, type Experience } from "../../src/experience/experience.ts";
import { createMinute } from "../../src/experience/minute.ts";
import type { Address } from "../../src/model/address.ts";
import { ANY_EDGE } from "../../src/model/corrections.ts";
import { plainEdge, plainService } from "../inventory.ts";
import { sharesFrom } from "../random.ts";

const EDGES = ["slow", "fast", "other"].map((id, index) =>
  plainEdge(id, { index, url: `http://${id}.example.net` }),
);
const LIVE = plainService({
  id: "live",
  index: 1,
  edges: [0, 1, 2],
  experience: { maxKm: 1000, networks: 10 },
});
const INVENTORY = { edges: EDGES, services: [plainService({ id: "none", index: 0 }), LIVE] };

const at = (text: string): Address => parseAddress(text) as Address;
/** The nth network of the group 198.51.0.0/18. */
const network = (n: number, host = 1): Address => at(`198.51.${n % 64}.${host + Math.floor(n / 64)}`);

let minute: () => void;
let changes: number;
let experience: Experience;
beforeEach(() => {
  changes = 0;
  const after = (delayMs: number, act: () => void): (() => void) => {
    expect(delayMs).toBe(60_000);
    minute = act;
    return () => {};
  };
  experience = createExperience({ clock: { after }, onChange: () => changes++ });
  experience.take(INVENTORY);
});

const say = (edge: string, client: Address, bitsPerSecond: number): void =>
  experience.steering({ service: "live", edge, bitsPerSecond }, client);
const km = (edge: number, client = network(0), service = LIVE, inventory = INVENTORY): number => {
  const table = experience.corrections(inventory);
  if (table === undefined) return 0;
  return valueAt(
    table,
    2 * service.index + (client.family === 6 ? 1 : 0),
    firstBits(client, client.family === 4 ? 18 : 32),
    edge,
  );
};
const slowAndFast = (networks = 12, first = 0): void => {
  for (let n = first; n < first + networks; n++) {
    say("slow", network(n), 1e6);
    say("fast", network(n), 8e6);
  }
};

describe("what players say", () => {
  it("makes an edge look further away to their group, bit by bit, and is forgotten in time", () => {
    slowAndFast();
    expect(km(0)).toBe(0);
    minute();
    expect([km(0), km(1), km(2), km(ANY_EDGE)]).toEqual([300, 0, 0, 1]);
    for (let i = 0; i < 20; i++) {
      slowAndFast();
      minute();
    }
    expect(km(0)).toBeGreaterThan(990);
    expect([km(0, at("198.51.64.1")), km(0, at("198.52.0.1"))]).toEqual([0, 0]);
    for (let i = 0; i < 10; i++) minute();
    expect(km(0)).toBeGreaterThan(480);
    expect(km(0)).toBeLessThan(520);
    for (let i = 0; i < 70; i++) minute();
    expect(experience.corrections(INVENTORY)).toBeUndefined();
    expect(changes).toBe(101);
  });

  it("goes as soon as the edge is as good as others", () => {
    slowAndFast();
    minute();
    for (let n = 0; n < 12; n++) for (const edge of ["slow", "fast"]) say(edge, network(n), 5e6);
    minute();
    expect(km(0)).toBe(210);
  });

  it("counts networks, not viewers, and an address once", () => {
    for (let i = 0; i < 200; i++) {
      say("slow", network(i % 9, 1 + i), 1e6);
      say("fast", network(i % 9, 1 + i), 8e6);
    }
    minute();
    expect(experience.corrections(INVENTORY)).toBeUndefined();
    slowAndFast();
    // One household in a network of three, again and again.
    for (let n = 0; n < 12; n++)
      for (let i = 0; i < 50; i++) {
        say("slow", network(n, 10), 9e9);
        say("slow", network(n, 11), 1e6);
      }
    minute();
    expect(km(0)).toBe(300);
  });

  it("is kept apart by service, and by family", () => {
    for (let n = 0; n < 12; n++) {
      const client = at(`2001:db8:${n}::1`);
      say("slow", client, 1e6);
      say("fast", client, 8e6);
    }
    minute();
    expect(km(0, at("2001:db8:ffff::9"))).toBe(300);
    expect(km(0, at("2001:db9::9"))).toBe(0);
    expect(km(0, at("2001:db8:ffff::9"), INVENTORY.services[0])).toBe(0);
    expect(km(0)).toBe(0);
  });

  it("follows edges and services to other places, and ends with the option", () => {
    slowAndFast();
    minute();
    const edges = EDGES.map((edge) => ({ ...edge, index: 2 - edge.index })).toReversed();
    const moved = { edges, services: [{ ...LIVE, index: 0 }] };
    expect(km(2, network(0), moved.services[0], moved)).toBe(300);
    const { experience: _, ...without } = LIVE;
    const off = { edges: EDGES, services: [without] };
    experience.take(off);
    expect(experience.corrections(off)).toBeUndefined();
    minute();
    experience.take(INVENTORY);
    expect(experience.corrections(INVENTORY)).toBeUndefined();
  });

  it("comes as CMCD events too, by host or pathway", () => {
    for (let n = 0; n < 12; n++) {
      experience.cmcd(LIVE, network(n), 'e=t,ts=1,v=2,h="SLOW.example.net",mtp=(1000)\nnonsense\n');
      experience.cmcd(
        LIVE,
        network(n),
        'e=t,ts=1,v=2,cdn="fast",mtp=(8000)\ne=t,v=2,ts=1,h="x.example",mtp=(1)\n',
      );
    }
    minute();
    expect(km(0)).toBe(300);
    const [reports] = experience.metrics();
    expect(reports).toMatchObject({
      samples: [
        { labels: { source: "cmcd", outcome: "taken" }, value: 24 },
        { labels: { source: "cmcd", outcome: "unknown-edge" }, value: 12 },
      ],
    });
  });

  it("is shown by edge", () => {
    slowAndFast();
    say("other", network(1), 1e15);
    minute();
    const value = (name: string, edge: string): number | undefined => {
      const family = experience.metrics().find((one) => one.name === name);
      if (family === undefined || family.kind === "histogram") return undefined;
      return family.samples.find(({ labels }) => labels["edge"] === edge)?.value;
    };
    expect(["slow", "fast"].map((edge) => value("experience_corrected_groups", edge))).toEqual([1, 0]);
    expect(value("experience_correction_max_km", "slow")).toBe(300);
  });

  it("is shown of the edges of services that make use of it alone", () => {
    const shown = (): number[] =>
      experience
        .metrics()
        .flatMap(({ name, samples }) => (name.startsWith("experience_correct") ? samples.length : []));
    expect(shown()).toEqual([3, 3]);
    experience.take({ ...INVENTORY, services: [plainService({ id: "none", index: 0, edges: [0, 1, 2] })] });
    expect(shown()).toEqual([0, 0]);
  });

  it("is bounded: what finds no room is not kept", () => {
    const full = createMinute(3);
    const client = (n: number) => ({ service: "s", edge: "e", bitsPerSecond: n });
    expect([1, 2, 3, 4].map((n) => full.add(client(n), network(n)))).toEqual([true, true, true, false]);
    expect(full.add(client(9), network(1))).toBe(true);
    expect(full.close()).toHaveLength(1);
    expect(full.close()).toEqual([]);
    expect(full.add(client(1), network(7))).toBe(true);
    const crowded = createMinute();
    const ofOne = Array.from({ length: 150 }, (_, i) =>
      crowded.add(client(1), at(`2001:db8:1::${i.toString(16)}`)),
    );
    expect(ofOne.filter((taken) => taken)).toHaveLength(100);
    expect(crowded.add(client(1), at("2001:db8:2::1"))).toBe(true);
  });
});

describe("two hours of 40 networks, a fifth of which lies as hard as it can", () => {
  /** Log-normal, as access lines are: the same for every edge. */
  const lines = (draw: () => number): number[] =>
    Array.from(
      { length: 40 },
      () => 2e7 * Math.exp(0.8 * Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw())),
    );

  it.each([1, 2, 3, 4, 5])("moves nobody (seed %i)", (seed) => {
    const draw = sharesFrom(seed);
    const [slow, fast] = [lines(draw), lines(draw)];
    for (let i = 0; i < 120; i++) {
      for (let n = 0; n < 40; n++) {
        const lies = n % 5 === 0;
        say("slow", network(n), lies ? 10_000 : (slow[n] as number) * (0.8 + 0.4 * draw()));
        say("fast", network(n), lies ? 1e11 : (fast[n] as number) * (0.8 + 0.4 * draw()));
      }
      minute();
      expect(experience.corrections(INVENTORY)).toBeUndefined();
    }
  });

  it("is found out though an edge is eight times as slow, when nobody lies", () => {
    const draw = sharesFrom(6);
    const all = lines(draw);
    for (let i = 0; i < 10; i++) {
      all.forEach((line, n) => {
        say("slow", network(n), line / 8);
        say("fast", network(n), line);
      });
      minute();
    }
    expect(km(0)).toBeGreaterThan(900);
  });
});
