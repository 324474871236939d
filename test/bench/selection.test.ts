import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  demandOf,
  judge,
  optimum,
  parseScenario,
  RULE_NAMES,
  USUAL_RULE_NAMES,
  readScenario,
  ruleNamed,
  SCENARIO_NAMES,
  simulate,
} from "../../bench/selection/judge.mjs";
import { boundKm } from "../../bench/selection/bound.mjs";
import type { Question, Result, Rule, Scenario, Setting } from "../../bench/selection/types.ts";

/** A simulated hour takes as long as the machine has other things to do. */
const SLOW = { timeout: 240_000 };

const SMALL = `
about: Four edges
duration: 10m
edges:
  - { id: fra1, location: { latitude: 50.11, longitude: 8.68 }, capacity: 600 }
  - { id: bom1, location: { latitude: 19.08, longitude: 72.88 }, capacity: 600 }
  - { id: sha1, location: { latitude: 31.23, longitude: 121.47 }, capacity: 600 }
  - { id: nyc1, location: { latitude: 40.71, longitude: -74.01 }, capacity: 600 }
demand: { viewers: 800 }
stays: { shortest: 1m, longest: 5m }
`;

function scenarioOf(text: string): Scenario {
  const scenario = parseScenario(text, "small.yaml");
  if ("problems" in scenario) throw new Error(scenario.problems.join("\n"));
  return scenario;
}

function problemsOf(text: string): string[] {
  const scenario = parseScenario(text, "small.yaml");
  return "problems" in scenario ? scenario.problems : [];
}

/** Sends everyone to one edge, and writes down what it was told. */
function listenerTo(edge: number): Rule & {
  readonly told: { reports: [number, number, number, number][]; health: [number, boolean, number][] };
  setting?: Setting;
  readonly questions: Question[];
} {
  return {
    name: "listener",
    told: { reports: [], health: [] },
    questions: [],
    start(setting) {
      this.setting = setting;
    },
    report(index, { viewers, measuredAtMs }, nowMs) {
      this.told.reports.push([index, viewers, measuredAtMs, nowMs]);
    },
    health(index, up, nowMs) {
      this.told.health.push([index, up, nowMs]);
    },
    tick() {},
    choose(question) {
      this.questions.push(question);
      return edge;
    },
  };
}

describe("a scenario file", () => {
  it.each(SCENARIO_NAMES)("%s is valid", (name) => {
    expect(readScenario(name)).toMatchObject({ name });
  });

  it.each([
    ["a key that does not exist", "edgse: []", /small\.yaml:\d+:\d+: edgse: no such key/],
    ["a bad duration", "networks: 1\nfailover: { retryWithin: 5 minutes }", /retryWithin: .*90s, 5m or 2h/],
    [
      "an unknown edge",
      "faults: [{ edge: ams1, kind: down, from: 1m, until: 2m }]",
      /no edge is called ams1/,
    ],
    [
      "a fault that ends first",
      "faults: [{ edge: fra1, kind: down, from: 2m, until: 1m }]",
      /later than from/,
    ],
    ["a share above 1", "dns: { share: 50 }", /dns\.share: a share is 0 to 1/],
    ["text that is no YAML", "dns: {", /small\.yaml:\d+:\d+: /],
  ])("with %s is told where and what", (_what, line, message) => {
    expect(problemsOf(`${SMALL}${line}\n`).join("\n")).toMatch(message);
  });

  it("names a missing key and an unordered timeline", () => {
    expect(problemsOf("about: nothing")).toContainEqual(expect.stringContaining("edges: is missing"));
    const regions = "demand: { viewers: 1, regions: [{ continents: [EU], timeline: [[5m, 1], [1m, 2]] }] }";
    expect(problemsOf(SMALL.replace("demand: { viewers: 800 }", regions)).join()).toContain("order of time");
  });

  it("may be changed in part, and is checked as if it had been written so", () => {
    const base = `${SMALL}dns: { share: 1, ttl: 20s }\n`;
    const other = (changes: string) => parseScenario(base, "small.yaml", changes);
    expect(other("dns: { clientSubnet: 0 }")).toEqual(
      scenarioOf(base.replace("ttl: 20s", "ttl: 20s, clientSubnet: 0")),
    );
    expect(other("edges: [{ id: syd1, capacity: 5 }]")).toMatchObject({ edges: [{ id: "syd1" }] });
    expect(other("dns: { share: 2 }")).toEqual({
      problems: [expect.stringMatching(/^small\.yaml:\d+:\d+: dns\.share: a share is 0 to 1$/)],
    });
    expect(other("dns: {")).toEqual({ problems: [expect.stringMatching(/^dns: \{: /)] });
    expect(other("nobody")).toMatchObject({ problems: [expect.stringContaining("expected object")] });
  });

  it("has edges where it says, or at the place that their ids begin with", () => {
    const edges = (list: string) =>
      parseScenario(SMALL.replace(/edges:\n( {2}-.*\n)+/, `edges: [${list}]\n`), "small.yaml");
    expect(edges("{ id: syd12, capacity: 5 }")).toMatchObject({
      edges: [{ id: "syd12", latitude: -33.87, longitude: 151.21, capacity: 5 }],
    });
    expect(edges("{ id: syd1, location: { latitude: 1, longitude: 2 }, capacity: 5 }")).toMatchObject({
      edges: [{ id: "syd1", latitude: 1, longitude: 2 }],
    });
    for (const id of ["oslo", "constructor"])
      expect(edges(`{ id: ${id}, capacity: 5 }`)).toEqual({
        problems: [
          expect.stringMatching(/edges\.0: location is missing, and .* does not begin with one of ams/),
        ],
      });
  });

  it("has the defaults that the README says", () => {
    const readme = readFileSync("bench/selection/README.md", "utf8");
    const sample = /```yaml\n([^`]*)```/.exec(readme)?.[1] ?? "";
    const needed = sample.slice(0, sample.indexOf("# The rest may be left out"));
    expect(needed).toContain("regions:");
    expect(scenarioOf(needed)).toEqual(scenarioOf(sample));
  });

  it("that is not there is told with the names there are", () => {
    expect(readScenario("nowhere.yaml")).toEqual({ problems: [expect.stringContaining("flash-crowd")] });
  });
});

describe("the viewers", () => {
  const scenario = scenarioOf(SMALL);

  it("are the same for a seed and others for another", () => {
    expect(demandOf(scenario, 5)).toEqual(demandOf(scenario, 5));
    expect(demandOf(scenario, 5).arrivesMs).not.toEqual(demandOf(scenario, 6).arrivesMs);
  });

  it("come in order and stay as long as the scenario says", () => {
    const { count, arrivesMs, leavesMs } = demandOf(scenario, 1);
    for (let i = 0; i < count; i++) {
      expect(arrivesMs[i]).toBeGreaterThanOrEqual(i > 0 ? (arrivesMs[i - 1] as number) : 0);
      const stayMs = (leavesMs[i] as number) - (arrivesMs[i] as number);
      expect(stayMs >= 60_000 && stayMs <= 300_000).toBe(true);
    }
  });

  it("are as many as wanted while they are measured", async () => {
    const { judgement } = await judge(scenario, { rules: ["nearest"] });
    expect(Math.abs(judgement.viewers.mean - 800)).toBeLessThan(80);
  });

  it("follow the product of the timelines that select their city", () => {
    const comers = (regions: string): number =>
      demandOf(scenarioOf(SMALL.replace("{ viewers: 800 }", `{ viewers: 800, regions: [${regions}] }`)), 1)
        .count;
    const everywhere = comers("{ timeline: [[0s, 1]] }");
    const notInAsia = comers("{ continents: [AS], timeline: [[0s, 0]] }");
    expect(notInAsia).toBeLessThan(0.7 * everywhere);
    expect(notInAsia).toBeGreaterThan(0.2 * everywhere);
    expect(comers("{ continents: [AS], timeline: [[0s, 0]] }, { timeline: [[0s, 2]] }")).toBeGreaterThan(
      1.8 * notInAsia,
    );
    expect(comers("{ timeline: [[0s, 3]] }, { timeline: [[0s, 0]] }")).toBe(0);
  });
});

describe("the simulator", () => {
  it("keeps every viewer: what is asked, served and reported adds up", () => {
    const scenario = scenarioOf(`${SMALL}dns: { share: 0 }\n`);
    const demand = demandOf(scenario, 1);
    const listener = listenerTo(2);
    const { result, series } = simulate(scenario, demand, listener, 1);
    expect(listener.questions.length).toBe(demand.count);
    expect(result.unserved).toBe(0);
    series.utilisation.forEach((step, i) => {
      const atMs = demand.warmUpMs + i * series.stepMs;
      // Taken at the end of a second, which those who leave within it still see.
      const present = [...demand.arrivesMs.keys()].filter(
        (v) => (demand.arrivesMs[v] as number) < atMs + 1000 && (demand.leavesMs[v] as number) >= atMs,
      );
      expect(Math.round((step[2] as number) * 600)).toBe(present.length);
      expect(step[0]).toBe(0);
    });
  });

  it("tells reports of every edge, as old as the scenario says, but not those of a silent one", () => {
    const scenario = scenarioOf(
      `${SMALL}faults: [{ edge: bom1, kind: silent, from: 2m, until: 4m }, { edge: sha1, kind: lying, from: 0s, until: 10m, factor: 100 }]\n`,
    );
    const demand = demandOf(scenario, 1);
    const listener = listenerTo(2);
    simulate(scenario, demand, listener, 1);
    const { reports } = listener.told;
    for (const [, , measuredAtMs, nowMs] of reports) {
      expect(nowMs - measuredAtMs).toBeGreaterThanOrEqual(9000);
      expect(nowMs - measuredAtMs).toBeLessThanOrEqual(12_000);
    }
    const measured = (edge: number, fromMs: number, untilMs: number): number =>
      reports.filter(
        ([index, , at]) => index === edge && at >= demand.warmUpMs + fromMs && at < demand.warmUpMs + untilMs,
      ).length;
    expect(measured(1, 120_000, 240_000)).toBe(0);
    expect(measured(0, 120_000, 240_000)).toBeGreaterThan(18);
    const lie = reports.findLast(([index]) => index === 2);
    expect(lie?.[1]).toBeGreaterThan(40_000);
  });

  it("asks once per TTL for the viewers of a resolver, and shows DNS no path", () => {
    const scenario = scenarioOf(`${SMALL}dns: { share: 1, ttl: 10m, clientSubnet: 0.5 }\n`);
    const demand = demandOf(scenario, 1);
    const listener = listenerTo(0);
    const { result } = simulate(scenario, demand, listener, 1);
    expect(listener.questions.length).toBeLessThan(demand.count / 2);
    expect(result.viewersPerDnsAnswer).toBeCloseTo(demand.count / listener.questions.length, 6);
    for (const { path, door, client } of listener.questions) {
      expect([path, door]).toEqual([undefined, "dns"]);
      expect(client.prefixLength).toBe(client.from === "client-subnet" ? 24 : 32);
    }
  });

  it("takes viewers off an edge that goes down, and tells the rule when probes notice", () => {
    const scenario = scenarioOf(`${SMALL}faults: [{ edge: fra1, kind: down, from: 2m, until: 4m }]\n`);
    const demand = demandOf(scenario, 1);
    const listener = listenerTo(0);
    const { result, series } = simulate(scenario, demand, listener, 1);
    const during = series.utilisation.slice(4, 8).map((step) => step[0]);
    expect(during).toEqual([0, 0, 0, 0]);
    expect(series.utilisation[3]?.[0]).toBeGreaterThan(1);
    expect(listener.told.health).toEqual([
      [0, false, demand.warmUpMs + 125_000],
      [0, true, demand.warmUpMs + 245_000],
    ]);
    expect(result.unserved).toBeGreaterThan(0.15);
    expect(result.beyondCapacity).toBeGreaterThan(0);
  });
});

describe("steered players", () => {
  const STEERED = `${SMALL}dns: { share: 0 }\nsteering: { share: 0.5, ttl: 20s }\n`;
  /** Tells every player to move to an edge, and which comes next. */
  const steering = (edges: readonly number[]) => {
    const asked: [playing: number, session: string, nowMs: number][] = [];
    const rule: Rule = {
      ...listenerTo(0),
      steer(_question, playing, session, nowMs) {
        asked.push([playing, session, nowMs]);
        return { edges, ttlMs: 20_000, session: `${session}+` };
      },
    };
    return { rule, asked };
  };

  it("ask a second after they came and after each TTL, with what they were told to say, and move", () => {
    const scenario = scenarioOf(STEERED);
    const demand = demandOf(scenario, 1);
    const { rule, asked } = steering([2, 1]);
    const { result, series } = simulate(scenario, demand, rule, 1);
    const first = asked.filter(([, session]) => session === "");
    expect(Math.abs(first.length / demand.count - 0.5)).toBeLessThan(0.03);
    for (const [playing, session] of asked) expect(playing).toBe(session === "" ? 0 : 2);
    expect(Math.max(...asked.map(([, session]) => session.length))).toBeGreaterThan(10);
    expect(result.steeringMovesPerViewer).toBeCloseTo(0.5, 1);
    const last = series.utilisation.at(-1) as Float32Array;
    expect((last[2] as number) / ((last[0] as number) + (last[2] as number))).toBeCloseTo(0.5, 1);
  });

  it("go on at the next pathway when their edge is lost, and ask no door", () => {
    const scenario = scenarioOf(
      `${STEERED.replace("0.5", "1")}faults: [{ edge: sha1, kind: down, from: 2m, until: 4m }]\n`,
    );
    const { rule } = steering([2, 1]);
    const { series } = simulate(scenario, demandOf(scenario, 1), rule, 1);
    const [before, after] = [series.utilisation[3], series.utilisation[5]] as Float32Array[];
    expect(before?.[1]).toBe(0);
    expect(after?.[2]).toBe(0);
    expect(after?.[1]).toBeGreaterThan(0.5 * (before?.[2] as number));
  });

  it("are moved nowhere by a rule that does not steer", () => {
    const scenario = scenarioOf(STEERED);
    const { result } = simulate(scenario, demandOf(scenario, 1), listenerTo(0), 1);
    expect(result.steeringMovesPerViewer).toBe(0);
  });

  it("stay with the engine where they are well", SLOW, async () => {
    const scenario = scenarioOf(STEERED.replace(/capacity: 600/g, "capacity: 5000"));
    const { result } = simulate(scenario, demandOf(scenario, 1), await ruleNamed("edgeward"), 1);
    expect(result.steeringMovesPerViewer).toBe(0);
  });
});

describe("the rules", () => {
  it("nearest is what a search of all edges finds", async () => {
    const scenario = scenarioOf(SMALL);
    const listener = listenerTo(0);
    simulate(scenario, demandOf(scenario, 1), listener, 1);
    const { setting, questions } = listener;
    if (setting === undefined) throw new Error("never started");
    const nearest = await ruleNamed("nearest");
    nearest.start(setting);
    for (const question of questions.slice(0, 500)) {
      const { latitude = 0, longitude = 0 } = question.location;
      const kms = setting.edges.map((edge) => haversineKm(edge.location, { latitude, longitude }));
      expect(kms[nearest.choose(question, 0)]).toBe(Math.min(...kms));
    }
  });

  it.each(RULE_NAMES.filter((name) => name !== "optimum"))(
    "%s never uses an edge known down",
    async (name) => {
      const scenario = scenarioOf(`${SMALL}faults: [{ edge: sha1, kind: down, from: 0s, until: 10m }]\n`);
      const { series } = simulate(scenario, demandOf(scenario, 1), await ruleNamed(name), 1);
      expect(Math.max(...series.utilisation.map((step) => step[2] as number))).toBe(0);
    },
  );

  it("all give the same result for a seed, and none beats the optimum within capacity", SLOW, async () => {
    const scenario = scenarioOf(SMALL.replace(/capacity: 600/g, "capacity: 5000"));
    const { judgement } = await judge(scenario);
    expect(await judge(scenario)).toMatchObject({ judgement });
    // The optimum looks every two minutes, the rules are measured all the time.
    const leastKm = 0.97 * (judgement.results["optimum"]?.meanKm ?? 0);
    expect(Object.keys(judgement.results)).toEqual(USUAL_RULE_NAMES);
    for (const result of Object.values(judgement.results)) {
      expect(result.beyondCapacity).toBe(0);
      expect(result.meanKm).toBeGreaterThan(leastKm);
    }
  });
});

describe("the optimum", () => {
  it("is the nearest edge where there is room for all", async () => {
    const scenario = scenarioOf(`${SMALL.replace(/capacity: 600/g, "capacity: 5000")}dns: { share: 0 }\n`);
    const demand = demandOf(scenario, 1);
    const best = await optimum(scenario, demand, 5000);
    const { result } = simulate(scenario, demand, await ruleNamed("nearest"), 1);
    expect(best.result.meanKm / result.meanKm).toBeCloseTo(1, 2);
    expect(best.result.beyondCapacity).toBe(0);
  });

  it("keeps to capacity, and is beyond it by no more than it must", async () => {
    const tight = scenarioOf(SMALL.replace(/capacity: 600/g, "capacity: 230"));
    const { result } = await optimum(tight, demandOf(tight, 1));
    expect(result.beyondCapacity).toBe(0);
    expect(result.peakUtilisation).toBeCloseTo(1, 6);
    const short = scenarioOf(SMALL.replace(/capacity: 600/g, "capacity: 100"));
    const { result: beyond } = await optimum(short, demandOf(short, 1));
    expect(Math.abs(beyond.beyondCapacity - 0.5)).toBeLessThan(0.05);
  });

  it("puts nobody on an edge that is down", async () => {
    const scenario = scenarioOf(`${SMALL}faults: [{ edge: sha1, kind: down, from: 2m, until: 4m }]\n`);
    const { series } = await optimum(scenario, demandOf(scenario, 1));
    expect(series.utilisation[1]?.[2]).toBe(0);
    expect(series.utilisation[0]?.[2]).toBeGreaterThan(0);
  });
});

describe("the bound for whoever moves nobody", () => {
  const nearestKm = async (scenario: Scenario) =>
    simulate(scenario, demandOf(scenario, 1), await ruleNamed("nearest"), 1).result.meanKm;

  it("is the nearest edge where there is room for all", async () => {
    const scenario = scenarioOf(`${SMALL.replace(/capacity: 600/g, "capacity: 5000")}dns: { share: 0 }\n`);
    const km = boundKm(scenario, demandOf(scenario, 1));
    expect(km / (await nearestKm(scenario))).toBeCloseTo(1, 1);
  });

  it("is between the optimum and the engine", SLOW, async () => {
    const scenario = scenarioOf(SMALL.replace(/capacity: 600/g, "capacity: 230"));
    const { judgement } = await judge(scenario, { rules: ["edgeward", "optimum"] });
    const { edgeward, optimum: best } = judgement.results;
    const km = boundKm(scenario, demandOf(scenario, 1));
    expect(km).toBeGreaterThan(0.97 * (best?.meanKm ?? Number.POSITIVE_INFINITY));
    expect(km).toBeLessThan(edgeward?.meanKm ?? 0);
  });

  it("is higher where a loss comes as a surprise", () => {
    const scenario = scenarioOf(
      `${SMALL.replace(/capacity: 600/g, "capacity: 300")}faults: [{ edge: sha1, kind: down, from: 4m, until: 10m }]\n`,
    );
    const demand = demandOf(scenario, 1);
    const foreseen = boundKm(scenario, demand);
    const calm = { ...scenario, faults: [] };
    expect(foreseen).toBeGreaterThan(boundKm(calm, demand));
    const surprised = boundKm(scenario, demand, { scenario: calm, demand, untilMs: 240_000 });
    expect(surprised).toBeGreaterThan(foreseen);
  });
});

describe("the command", () => {
  const root = resolve(import.meta.dirname, "../..");
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "edgeward-bench-"));
    writeFileSync(join(folder, "small.yaml"), SMALL);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = (...args: string[]) =>
    spawnSync(process.execPath, ["bench/selection/run.mjs", ...args], { cwd: root, encoding: "utf8" });

  it("prints a line of JSON per scenario", SLOW, () => {
    const { stdout, status } = run(
      "--scenario",
      join(folder, "small.yaml"),
      "--json",
      "--rules",
      "nearest,edgeward",
      "--with",
      "dns: { share: 0 }",
    );
    expect(status).toBe(0);
    expect(stdout.split("\n").length).toBe(2);
    const result = {
      meanKm: expect.any(Number),
      p95Km: expect.any(Number),
      beyondCapacity: expect.any(Number),
      peakUtilisation: expect.any(Number),
      edgesPerStream: expect.any(Number),
      movesPerViewer: expect.any(Number),
    };
    expect(JSON.parse(stdout)).toEqual({ scenario: "small", results: { nearest: result, edgeward: result } });
  });

  it("says what is wrong with its options, with status 2", () => {
    const { stderr, status } = run("--scenario", "small", "--rules", "roulette");
    expect(status).toBe(2);
    expect(stderr).toContain("small: neither a file nor one of");
    expect(stderr).toContain("roulette is not one of");
  });
});

/** The haversine formula, another way than the simulator's. */
function haversineKm(a: Point, b: Point): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const half = (x: number): number => Math.sin(radians(x) / 2) ** 2;
  const h =
    half(b.latitude - a.latitude) +
    Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * half(b.longitude - a.longitude);
  return 2 * 6371.0088 * Math.asin(Math.sqrt(h));
}

interface Point {
  readonly latitude: number;
  readonly longitude: number;
}

describe("the loss of any one site, where the others suffice", () => {
  const SIX = `
about: Six edges
duration: 6m
edges:
  - { id: fra1, location: { latitude: 50.11, longitude: 8.68 }, capacity: 500 }
  - { id: lon1, location: { latitude: 51.51, longitude: -0.13 }, capacity: 300 }
  - { id: bom1, location: { latitude: 19.08, longitude: 72.88 }, capacity: 500 }
  - { id: sha1, location: { latitude: 31.23, longitude: 121.47 }, capacity: 500 }
  - { id: nyc1, location: { latitude: 40.71, longitude: -74.01 }, capacity: 400 }
  - { id: sao1, location: { latitude: -23.55, longitude: -46.63 }, capacity: 200 }
demand: { viewers: 1500 }
dns: { share: 0 }
stays: { shortest: 1m, longest: 15m }
`;
  it.each(["fra1", "lon1", "bom1", "sha1", "nyc1", "sao1"])(
    "fills nobody beyond capacity: %s",
    async (site) => {
      const scenario = scenarioOf(`${SIX}faults: [{ edge: ${site}, kind: down, from: 2m, until: 4m }]`);
      const { judgement } = await judge(scenario, { rules: ["edgeward"] });
      const { peakUtilisation, beyondCapacity, unserved } = judgement.results["edgeward"] as Result;
      expect(peakUtilisation).toBeLessThanOrEqual(1);
      expect(beyondCapacity).toBe(0);
      expect(unserved).toBeLessThan(0.02);
    },
    SLOW.timeout,
  );
});
