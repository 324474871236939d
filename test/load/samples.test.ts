import { describe, expect, it } from "vitest";
import type { PolledLoad } from "../../src/load/source.ts";
import type { LoadReport } from "../../src/model/condition.ts";
import { type Poll, readAfter, sample, source } from "./reading.ts";

/**
 * Every server's sample replies against what they mean: EXPECTED.json has viewers, bandwidth_out in bits per second,
 * cpu and memory as shares to four digits, streams, bandwidth_limit or session_limit, and null for what the server
 * does not tell. A pair of replies is `_dt` seconds apart.
 */
interface Expected {
  readonly viewers?: number | null;
  readonly bandwidth_out?: number | string | null;
  readonly bandwidth_limit?: number;
  readonly session_limit?: number;
  readonly cpu?: number | null;
  readonly memory?: number | null;
  readonly streams?: readonly string[];
  readonly _dt?: number;
}

const expected = JSON.parse(sample("EXPECTED.json")) as { readonly [name: string]: Expected };

const at = "http://192.0.2.10";
const json = (path: string, ...more: string[]) => [sample(path), ...more.map(sample)];

interface Case {
  readonly source: PolledLoad;
  /** Bodies of each reading. */
  readonly polls: readonly (readonly string[])[];
  /** What this page alone does not tell. */
  readonly without?: readonly (keyof Expected)[];
}

const cases: { readonly [name: string]: Case } = {
  mist: {
    source: source("mistserver", at, { passphrase: "secret" }),
    polls: [json("mist-load-1.json"), json("mist-load-2.json")],
  },
  nimble: {
    source: source("nimble", at),
    polls: [json("nimble-server-status.json", "nimble-live-streams-status.json")],
  },
  wowza: {
    source: source("wowza", `${at}:8086/connectioncounts`),
    polls: [json("wowza-connectioncounts.xml")],
    without: ["cpu", "memory"],
  },
  wowza_rest_application: {
    source: source("wowza", `${at}:8087`, { application: "live" }),
    polls: [json("wowza-machine-current.json", "wowza-application-current.json")],
  },
  flashphoner: { source: source("flashphoner", at), polls: [json("flashphoner-stat.txt")] },
  nginx_rtmp: { source: source("nginx-rtmp", `${at}/stat`), polls: [json("nginx-rtmp-stat.xml")] },
  nginx_stub_status: {
    source: source("nginx-stub-status", `${at}/stub_status`),
    polls: [json("nginx-stub-status.txt")],
  },
  nginx_vts: {
    source: source("nginx-vts", `${at}/status/format/json`),
    polls: [json("nginx-vts-1.json"), json("nginx-vts-2.json")],
  },
  nginx_plus: {
    source: source("nginx-vts", `${at}/api/9`),
    polls: [1, 2].map((n) =>
      json("nginx-plus-connections.json", `nginx-plus-http-server-zones-${n}.json`, "nginx-plus-nginx.json"),
    ),
  },
  angie: {
    source: source("nginx-vts", `${at}/status/`),
    polls: [json("angie-status-1.json"), json("angie-status-2.json")],
  },
  srs: {
    source: source("srs", at),
    polls: [1, 2].map((n) => json(`srs-summaries-${n}.json`, "srs-streams.json")),
  },
  ant_media: {
    source: source("ant-media", at, { application: "LiveApp" }),
    polls: [json("ams-system-resources.json", "ams-broadcasts-list.json")],
  },
  ome: {
    source: source("ovenmediaengine", at, { application: "app" }),
    polls: [1, 2].map((n) => json(`ome-stats-current-${n}.json`, "ome-streams.json")),
  },
  varnish: {
    source: source("varnish", `${at}/varnish.json`),
    polls: [json("varnishstat-1.json"), json("varnishstat-2.json")],
  },
  haproxy: {
    source: source("haproxy", `${at}/stats;csv`),
    polls: [json("haproxy-stats-1.csv"), json("haproxy-stats-2.csv")],
    without: ["cpu"],
  },
  apache: {
    source: source("apache", `${at}/server-status?auto`),
    polls: [json("apache-status-1.txt"), json("apache-status-2.txt")],
  },
  node_exporter: {
    source: source("node-exporter", `${at}/metrics`),
    polls: [json("node-exporter-1.txt"), json("node-exporter-2.txt")],
  },
  astats: {
    source: source("astats", `${at}/_astats`, { interface: "eth0" }),
    polls: [json("astats-1.json"), json("astats-2.json")],
  },
};

describe("the samples", () => {
  it.each(Object.entries(cases))(
    "of %s mean what they should",
    (name, { source: polled, polls, without }) => {
      const { _dt: seconds = 5, ...whole } = expected[name] ?? {};
      const wanted = { ...whole, ...Object.fromEntries((without ?? []).map((key) => [key, null])) };
      const timed: Poll[] = polls.map((bodies, i) => ({ bodies, atMs: i * seconds * 1000 }));
      const { report } = readAfter(polled, ...timed);
      expect(shown(report, wanted)).toEqual(known(wanted));
    },
  );

  it("of Wowza's REST interface tell of the machine", () => {
    const { report } = readAfter(source("wowza", `${at}:8087`), {
      bodies: json("wowza-machine-current.json", "wowza-vhost-current.json"),
    });
    expect(report.cpu).toBeCloseTo(expected["wowza"]?.cpu ?? -1, 4);
    expect(report.memory).toBeCloseTo(expected["wowza"]?.memory ?? -1, 4);
  });

  it("of HAProxy's exporter tell how idle it is", () => {
    const { report } = readAfter(source("haproxy", `${at}/metrics`), { bodies: json("haproxy-metrics.txt") });
    expect(report.cpu).toBeCloseTo(expected["haproxy"]?.cpu ?? -1, 4);
    expect(report.viewers).toBe(expected["haproxy"]?.viewers);
    expect(report.capacity).toEqual({ viewers: expected["haproxy"]?.session_limit });
  });

  it("of Varnish's exporter say what varnishstat says", () => {
    const { report } = readAfter(source("varnish", `${at}/metrics`), {
      bodies: json("varnish-exporter.txt"),
    });
    expect(report.viewers).toBe(expected["varnish"]?.viewers);
  });

  it("of Red5 Pro are read as any JSON", () => {
    const polled = source("json", at, {
      fields: {
        viewers: { path: ["data", "active_connections"], factor: 1 },
        bandwidth: { path: ["data", "bytes_out"], factor: 8, counter: true },
      },
    });
    const first = sample("red5pro-server-statistics.json");
    const second = first.replace("90995116277", String(90995116277 + 1_000_000));
    const { report } = readAfter(polled, { bodies: [first] }, { bodies: [second], atMs: 10_000 });
    expect(report).toEqual({ viewers: expected["red5pro"]?.viewers, bandwidth: 800_000 });
  });

  it("are all looked at", () => {
    expect([...Object.keys(cases), "red5pro"].sort()).toEqual(Object.keys(expected).sort());
  });
});

/** Of a report, what is expected to be known or unknown, in the words of EXPECTED.json. */
function shown(report: LoadReport, wanted: Expected): object {
  const said: { [name: string]: unknown } = {
    viewers: report.viewers,
    bandwidth_out: report.bandwidth === undefined ? undefined : Math.round(report.bandwidth),
    bandwidth_limit: report.capacity?.bandwidth,
    session_limit: report.capacity?.viewers,
    cpu: fourDigits(report.cpu),
    memory: fourDigits(report.memory),
    streams: report.streams,
  };
  const named = Object.keys(said).filter((key) => key in wanted);
  return Object.fromEntries(named.map((key) => [key, said[key] ?? null]));
}

const FIELDS: ReadonlySet<string> = new Set([
  "viewers",
  "bandwidth_out",
  "bandwidth_limit",
  "session_limit",
  "cpu",
  "memory",
  "streams",
]);

function known(wanted: Expected): object {
  return Object.fromEntries(Object.entries(wanted).filter(([key]) => FIELDS.has(key)));
}

function fourDigits(share: number | undefined): number | undefined {
  return share === undefined ? undefined : Math.round(share * 1e4) / 1e4;
}
