import { describe, expect, it } from "vitest";
import type { CliActions } from "../../src/cli/actions.ts";
import { done } from "../../src/cli/answer.ts";
import type { GeoView, LoadView, ProbeView } from "../../src/cli/views.ts";
import { edgeward, rowOf } from "./fixture.ts";

const PROBLEM = {
  file: "/etc/e.yaml",
  line: 12,
  column: 7,
  path: "edges.ams1.weight",
  message: "expected a number, as 1",
};
const WRONG = { kind: "wrong-configuration", problems: [PROBLEM] } as const;
const UNKNOWN = { kind: "unknown", what: "edge", name: "asm1", known: ["ams1", "sin1"] } as const;

describe("check", () => {
  it("tells who names a file alone how it is named", async () => {
    const { code, err } = await edgeward(["check", "my/edgeward.yaml"]);
    expect(code).toBe(2);
    expect(err).toContain("(a configuration is named with -c FILE)");
    expect((await edgeward(["geo", "192.0.2.1", "192.0.2.2"])).err).not.toContain("-c FILE");
  });

  const checking = (problems: (typeof PROBLEM)[]): Partial<CliActions> => ({
    check: (file) => Promise.resolve({ file, problems, summary: "3 edges, 2 services, 1 zone" }),
  });

  it("says what a right configuration holds, and exits 0", async () => {
    expect(await edgeward(["check", "-c", "e.yaml"], { actions: checking([]) })).toEqual({
      code: 0,
      out: "e.yaml: no problems; 3 edges, 2 services, 1 zone\n",
      err: "",
    });
  });

  it("prints every problem with file, line, column and path, and exits 3", async () => {
    const { code, out } = await edgeward(["check"], {
      actions: checking([PROBLEM, { ...PROBLEM, path: "" }]),
    });
    expect(code).toBe(3);
    expect(out.split("\n")).toEqual([
      "/etc/e.yaml:12:7: edges.ams1.weight: expected a number, as 1",
      "/etc/e.yaml:12:7: expected a number, as 1",
      "config/edgeward.yaml: 2 problems",
      "",
    ]);
  });

  it("prints what a service would start without, and exits 0", async () => {
    const check: CliActions["check"] = (file) => Promise.resolve({ file, problems: [], notes: [PROBLEM] });
    expect(await edgeward(["check", "-c", "e.yaml"], { actions: { check } })).toEqual({
      code: 0,
      out: "note: /etc/e.yaml:12:7: edges.ams1.weight: expected a number, as 1\ne.yaml: no problems\n",
      err: "",
    });
  });

  it("prints the problems as JSON with -o json, and exits 3 all the same", async () => {
    const { code, out } = await edgeward(["check", "-o", "json"], { actions: checking([PROBLEM]) });
    expect(code).toBe(3);
    expect(JSON.parse(out)).toMatchObject({ file: "config/edgeward.yaml", problems: [PROBLEM] });
  });
});

describe("steer", () => {
  const asked: unknown[] = [];
  const steer: CliActions["steer"] = (...args) => {
    asked.push(args);
    return Promise.resolve(done("#EXTM3U\n"));
  };

  it("prints the file as it became", async () => {
    const args = [
      "steer",
      "a.m3u8",
      "--service",
      "live",
      "--path",
      "/a.m3u8",
      "--server",
      "https://x.example/y",
    ];
    expect(await edgeward(args, { actions: { steer } })).toEqual({ code: 0, out: "#EXTM3U\n", err: "" });
    const options = { service: "live", path: "/a.m3u8", server: "https://x.example", hasLocation: true };
    expect(asked.at(-1)).toEqual(["config/edgeward.yaml", "a.m3u8", options]);
    await edgeward([...args, "--no-location"], { actions: { steer } });
    expect(asked.at(-1)).toEqual(["config/edgeward.yaml", "a.m3u8", { ...options, hasLocation: false }]);
  });

  it.each([
    ["without a service", ["steer", "a.m3u8"], "--service"],
    [
      "with a path that is none",
      ["steer", "a.m3u8", "--service", "live", "--path", "a"],
      "Expected a path as /live/cup/index.m3u8",
    ],
  ])("is wrong usage %s", async (_what, args, message) => {
    const { code, err } = await edgeward(args, { actions: { steer } });
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it("says why a file cannot be steered, and exits 1", async () => {
    const unfit = { steer: () => Promise.resolve({ kind: "no" as const, message: "a.m3u8: why" }) };
    const { code, err } = await edgeward(["steer", "a.m3u8", "--service", "live"], { actions: unfit });
    expect({ code, err }).toEqual({ code: 1, err: "edgeward: a.m3u8: why\n" });
  });
});

describe("import", () => {
  it("prints the YAML alone on stdout, and on stderr what could not be carried over", async () => {
    const asked: unknown[] = [];
    const actions: Partial<CliActions> = {
      import: (options) => {
        asked.push(options);
        return Promise.resolve(done({ yaml: "edges: {}\n", notes: ["lb.xml:3: \u001b[31mred"] }));
      },
    };
    expect(
      await edgeward(["import", "flashphoner", "lb.xml", "--hostname", "tv.example.net"], { actions }),
    ).toEqual({
      code: 0,
      out: "edges: {}\n",
      err: "lb.xml:3: \\u001b[31mred\n",
    });
    expect(asked).toEqual([{ format: "flashphoner", files: ["lb.xml"], hostname: "tv.example.net" }]);
  });

  it("refuses formats that it does not know, and exits 2", async () => {
    expect(await edgeward(["import", "nothing", "x"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("Allowed choices are flashphoner, csv") as string,
    });
  });
});

describe("geo", () => {
  const london: GeoView = {
    address: "203.0.113.7",
    prefix: "203.0.113.0/24",
    layer: "city",
    city: "London",
    country: "GB",
    continent: "EU",
    latitude: 51.5085,
    longitude: -0.1257,
    accuracyRadiusKm: 20,
    asn: 64500,
  };
  const locating = (view: GeoView): Partial<CliActions> => ({ geo: () => Promise.resolve(done(view)) });

  it("shows where, from which source, and for which prefix", async () => {
    const { code, out } = await edgeward(["geo", "203.0.113.7"], { actions: locating(london) });
    expect(code).toBe(0);
    expect(rowOf(out, "source")).toEqual(["source", "city database"]);
    expect(rowOf(out, "prefix")).toEqual(["prefix", "203.0.113.0/24"]);
    expect(rowOf(out, "city")).toEqual(["city", "London"]);
    expect(rowOf(out, "location")).toEqual(["location", "51.51, -0.13, within 20 km"]);
    expect(rowOf(out, "asn")).toEqual(["asn", "AS64500"]);
  });

  it("prints the view with -o json", async () => {
    const { out } = await edgeward(["geo", "203.0.113.7", "-o", "json"], { actions: locating(london) });
    expect(JSON.parse(out)).toEqual(london);
  });

  it("exits 1 for an address that nobody can place, and 2 for what is no address", async () => {
    const nowhere: GeoView = { address: "10.0.0.1", prefix: "10.0.0.0/8", layer: "none" };
    const { code, out } = await edgeward(["geo", "10.0.0.1"], { actions: locating(nowhere) });
    expect(code).toBe(1);
    expect(rowOf(out, "source")).toEqual(["source", "no source knows it"]);
    expect((await edgeward(["geo", "10.0.0"])).code).toBe(2);
  });

  it("gives the configuration and the address to the action", async () => {
    const seen: string[][] = [];
    const actions: Partial<CliActions> = {
      geo: (...args) => {
        seen.push(args);
        return Promise.resolve(done(london));
      },
    };
    await edgeward(["geo", "2001:db8::7", "-c", "other.yaml"], { actions });
    expect(seen).toEqual([["other.yaml", "2001:db8::7"]]);
  });
});

describe("load", () => {
  const view: LoadView = {
    edgeId: "ams1",
    report: { viewers: 512, bandwidth: 428_000_000, cpu: 0.734, streams: ["a", "b", "c", "d", "e", "f"] },
    sources: [
      {
        type: "nimble",
        url: "http://192.0.2.11:8082",
        report: { viewers: 512, bandwidth: 428_000_000, streams: ["a", "b", "c", "d", "e", "f"] },
        fields: [
          { field: "viewers", from: "Connections" },
          { field: "bandwidth", from: "OutRate" },
          { field: "memory", from: "SysInfo.tpms", problem: "expected 0 or more, got -1" },
          { field: "streams", from: "streams" },
        ],
      },
      {
        type: "node-exporter",
        url: "http://192.0.2.11:9100/metrics",
        report: { bandwidth: 1, cpu: 0.734 },
        fields: [
          { field: "bandwidth", from: "node_network_transmit_bytes_total" },
          { field: "cpu", from: "node_cpu_seconds_total", problem: "one of 4 CPUs is missing" },
        ],
      },
      { type: "json", report: {}, fields: [], problem: "answered 404" },
      { type: "push", report: {}, fields: [], problem: "nothing to read" },
    ],
  };
  const reading = (view: LoadView): Partial<CliActions> => ({ load: () => Promise.resolve(done(view)) });

  it("says of an edge without sources that it has none", async () => {
    const actions = reading({ edgeId: "ams1", report: {}, sources: [] });
    expect(await edgeward(["load", "ams1"], { actions })).toEqual({
      code: 1,
      out: "ams1\nthe configuration names no source of its load, which stays unknown; add load: to the edge\n",
      err: "",
    });
  });

  it("shows each field with the source that won, and how each source answered", async () => {
    const { code, out } = await edgeward(["load", "ams1"], { actions: reading(view) });
    expect(code).toBe(0);
    expect(rowOf(out, "viewers")).toEqual(["viewers", "512", "nimble", "Connections"]);
    expect(rowOf(out, "bandwidth")).toEqual(["bandwidth", "428Mbps", "nimble", "OutRate"]);
    expect(rowOf(out, "cpu").slice(1)).toEqual([
      "73%",
      "node-exporter",
      "node_cpu_seconds_total",
      "one of 4 CPUs is missing",
    ]);
    expect(rowOf(out, "memory").slice(1)).toEqual([
      "-",
      "nimble",
      "SysInfo.tpms",
      "expected 0 or more, got -1",
    ]);
    expect(rowOf(out, "streams")[1]).toBe("6: a, b, c, d, e, …");
    expect(rowOf(out, "nimble")).toEqual(["nimble", "read", "http://192.0.2.11:8082"]);
    expect(rowOf(out, "json")).toEqual(["json", "answered 404"]);
    expect(rowOf(out, "push")).toEqual(["push", "nothing to read"]);
  });

  it("prints the report alone with -o json", async () => {
    const { out } = await edgeward(["load", "ams1", "-o", "json"], { actions: reading(view) });
    expect(JSON.parse(out)).toEqual(view.report);
  });

  it("exits 1 when no source could be read", async () => {
    const silent = { ...view, report: {}, sources: view.sources.slice(2) };
    const { code, out } = await edgeward(["load", "ams1"], { actions: reading(silent) });
    expect([code, rowOf(out, "push")]).toEqual([1, ["push", "nothing to read"]]);
  });

  it("says why a report printed with -o json is empty", async () => {
    const silent = { ...view, report: {}, sources: view.sources.slice(2) };
    const { code, out, err } = await edgeward(["load", "ams1", "-o", "json"], { actions: reading(silent) });
    expect([code, JSON.parse(out)]).toEqual([1, {}]);
    expect(err).toBe("edgeward: warning: json: answered 404; push: nothing to read\n");
  });
});

describe("probe", () => {
  const view: ProbeView = {
    edgeId: "ams1",
    type: "http",
    target: "http://192.0.2.11:8081/health",
    addresses: [
      {
        address: "192.0.2.11",
        ok: true,
        durationMs: 4.2,
        steps: [
          { name: "connect", ms: 0.4 },
          { name: "reply", ms: 3.1 },
        ],
        notes: ["no Access-Control-Allow-Origin: browsers cannot play from here"],
      },
    ],
  };
  const probing = (view: ProbeView): Partial<CliActions> => ({ probe: () => Promise.resolve(done(view)) });

  it("shows the steps and times of each address, and what players would stumble over", async () => {
    const { code, out } = await edgeward(["probe", "ams1"], { actions: probing(view) });
    expect(code).toBe(0);
    expect(out).toContain("ams1, probe http http://192.0.2.11:8081/health");
    expect(rowOf(out, "192.0.2.11")).toEqual(["192.0.2.11", "ok", "4.2ms", "connect 0.4ms, reply 3.1ms"]);
    expect(out).toContain("no Access-Control-Allow-Origin");
    expect(
      JSON.parse((await edgeward(["probe", "ams1", "-o", "json"], { actions: probing(view) })).out),
    ).toEqual(view);
  });

  it("exits 1 when an address fails, with its reason", async () => {
    const failed = {
      address: "2001:db8::11",
      ok: false,
      reason: "status",
      detail: "503",
      durationMs: 1000,
      steps: [],
    };
    const half = { ...view, addresses: [...view.addresses, failed] };
    const { code, out } = await edgeward(["probe", "ams1"], { actions: probing(half) });
    expect(code).toBe(1);
    expect(rowOf(out, "2001:db8::11")).toEqual(["2001:db8::11", "status 503", "1.0s"]);
  });

  it("says of an edge without a probe that it counts as up", async () => {
    const none: ProbeView = { edgeId: "ams1", type: "none", addresses: [] };
    const { code, out } = await edgeward(["probe", "ams1"], { actions: probing(none) });
    expect([code, out]).toEqual([0, "ams1, probe none\n  not probed: it counts as up\n"]);
  });
});

describe("a command that needs the configuration", () => {
  it.each(["geo 203.0.113.7", "load ams1", "probe ams1", "serve"])(
    "%s: prints its problems and exits 3",
    async (line) => {
      const wrong = (): Promise<typeof WRONG> => Promise.resolve(WRONG);
      const actions = { geo: wrong, load: wrong, probe: wrong, serve: wrong };
      expect(await edgeward(line.split(" "), { actions })).toEqual({
        code: 3,
        out: "",
        err: "/etc/e.yaml:12:7: edges.ams1.weight: expected a number, as 1\nedgeward: 1 problem in the configuration\n",
      });
    },
  );

  it.each(["load", "probe"])("%s: suggests the edge that was meant and exits 1", async (command) => {
    const unknown = (): Promise<typeof UNKNOWN> => Promise.resolve(UNKNOWN);
    const actions = { load: unknown, probe: unknown };
    expect(await edgeward([command, "asm1"], { actions })).toEqual({
      code: 1,
      out: "",
      err: "edgeward: no edge is called asm1; did you mean ams1?\n",
    });
  });
});

describe("serve", () => {
  it("hands over configuration and --demo, and exits 0 when it has stopped in order", async () => {
    const seen: object[] = [];
    const actions: Partial<CliActions> = {
      serve: (options) => {
        seen.push(options);
        return Promise.resolve(done(undefined));
      },
    };
    expect((await edgeward(["serve"], { actions })).code).toBe(0);
    expect((await edgeward(["serve", "--demo", "-c", "e.yaml"], { actions })).code).toBe(0);
    expect(seen).toEqual([
      { configFile: "config/edgeward.yaml", demo: false },
      { configFile: "e.yaml", demo: true },
    ]);
  });

  it("exits 1 with one line when it cannot start", async () => {
    const actions: Partial<CliActions> = {
      serve: () => Promise.resolve({ kind: "no", message: "127.0.0.1:8053 is in use" }),
    };
    expect(await edgeward(["serve"], { actions })).toEqual({
      code: 1,
      out: "",
      err: "edgeward: 127.0.0.1:8053 is in use\n",
    });
  });
});

describe("schema and version", () => {
  it("schema prints the JSON Schema, given as an object or as text", async () => {
    const schema = { $schema: "https://json-schema.org/draft/2020-12/schema", type: "object" };
    const object = await edgeward(["schema"], { actions: { schema: async () => schema } });
    expect(JSON.parse(object.out)).toEqual(schema);
    const text = await edgeward(["schema"], { actions: { schema: async () => '{ "type": "object" }\n' } });
    expect(text.out).toBe('{ "type": "object" }\n');
  });

  it("version prints its own and the runtime's", async () => {
    expect((await edgeward(["version"])).out).toContain(`edgeward 1.2.3, Node.js ${process.version}`);
    const { out } = await edgeward(["version", "-o", "json"]);
    expect(JSON.parse(out)).toMatchObject({ version: "1.2.3", node: process.version });
    expect(await edgeward(["--version"])).toEqual({ code: 0, out: "1.2.3\n", err: "" });
  });
});

describe("wrong usage", () => {
  it.each([
    [""],
    ["frobnicate"],
    ["edges --frobnicate"],
    ["edges ams1 sin1"],
    ["drain"],
    ["explain live.example.net"],
    ["explain live.example.net 203.0.113.7 --at smtp"],
    ["version -o yaml"],
    ["check -c"],
  ])("%j exits 2 and says so on stderr alone", async (line) => {
    const { code, out, err } = await edgeward(line.split(" ").filter((word) => word !== ""));
    expect([code, out]).toEqual([2, ""]);
    expect(err).not.toBe("");
  });

  it("repeats no control character of an argument", async () => {
    const { err } = await edgeward(["\u001b[31mred"]);
    expect(err).toContain("\\u001b[31mred");
    expect(err).toMatch(/^(?:\n|[^\p{Cc}])*$/u);
  });

  it("help is no wrong usage, and knows every command", async () => {
    const { code, out } = await edgeward(["--help"]);
    expect(code).toBe(0);
    for (const name of COMMANDS) expect(out).toMatch(new RegExp(`^  ${name} `, "m"));
    for (const name of COMMANDS) expect((await edgeward([name, "--help"])).code).toBe(0);
  });

  const COMMANDS = "serve check explain edges drain undrain load probe geo reload schema version".split(" ");
});
