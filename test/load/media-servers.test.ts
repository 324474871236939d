import { describe, expect, it } from "vitest";
import { sourceTypeOf } from "../../src/load/registry.ts";
import { readAfter, readApart, sample, source } from "./reading.ts";

const at = "http://192.0.2.10";

/** The JSON of a sample with some of it changed, by dotted path; what is undefined is left out. */
function changed(name: string, changes: { readonly [path: string]: unknown }): string {
  const document = JSON.parse(sample(name)) as object;
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split(".");
    const parent = keys
      .slice(0, -1)
      .reduce<object>((part, key) => Reflect.get(part, key) as object, document);
    Reflect.set(parent, keys.at(-1) ?? "", value);
  }
  return JSON.stringify(document);
}

describe("MistServer", () => {
  const mist = source("mistserver", at, { passphrase: "secret" });
  const load = (changes: { readonly [path: string]: unknown }) => changed("mist-load-1.json", changes);

  it("restarts without a negative or a giant bandwidth", () => {
    const restarted = load({ bw: [1000, 10] });
    const read = readApart(mist, 5, sample("mist-load-1.json"), restarted);
    expect(read.report).not.toHaveProperty("bandwidth");
    expect(read.problemOf("bandwidth")).toMatch(/began anew/);
    const later = load({ bw: [5_001_000, 10] });
    expect(readApart(mist, 5, sample("mist-load-1.json"), restarted, later).report.bandwidth).toBe(8_000_000);
  });

  it("is read in its second generation, where curr means other things from the fourth on", () => {
    const { report } = readApart(mist, 5, sample("mist-load-2x.json"));
    expect(report).toMatchObject({ viewers: 17, cpu: 0.105, streams: ["live"] });
  });

  it("has no streams when it is idle, which is a list of none", () => {
    const idle = load({ streams: undefined, output_counts: undefined });
    expect(readApart(mist, 5, idle).report.streams).toEqual([]);
  });

  it("lists streams with an input only, and skips one without a name", () => {
    const { report } = readApart(
      mist,
      5,
      load({ "streams.": { curr: [1, 1, 0, 0] }, "streams.waiting": { curr: [3, 0, 0, 0] } }),
    );
    expect(report.streams).toEqual(["backup", "live+cam1", "live+cam2", "vod+movie.mp4"]);
  });

  it("takes the fuller of memory and shared memory, where there is any", () => {
    const full = load({ mem_used: 0, shm_used: 9000, shm_total: 10_000 });
    expect(readApart(mist, 5, full).report.memory).toBeCloseTo(0.9);
    const none = load({ shm_used: undefined, shm_total: undefined });
    expect(readApart(mist, 5, none).report.memory).toBeCloseTo(5242880 / 16374784);
  });

  it("states a limit in octets per second, or none", () => {
    expect(readApart(mist, 5, sample("mist-load-1.json")).report.capacity).toEqual({ bandwidth: 1e10 });
    const none = load({ bwlimit: 0 });
    expect(readApart(mist, 5, none).report).not.toHaveProperty("capacity");
  });

  it("is not any JSON", () => {
    expect(readApart(mist, 5, '{"viewers":3}').reading).toMatchObject({ kind: "unreadable" });
  });
});

describe("Nimble", () => {
  const nimble = source("nimble", at);
  const status = sample("nimble-server-status.json");

  it("writes its CPU load as text or as a number, as a share or as a percentage", () => {
    const cpu = (scl: unknown) =>
      readAfter(nimble, {
        bodies: [changed("nimble-server-status.json", { "SysInfo.scl": scl }), "[]"],
      }).report.cpu;
    expect([cpu("0.5"), cpu(0.25), cpu(".5"), cpu("75"), cpu(-1), cpu("busy")]).toEqual([
      0.5,
      0.25,
      0.5,
      0.75,
      undefined,
      undefined,
    ]);
    const idle = { bodies: [sample("nimble-server-status-numeric-scl.json"), "[]"] };
    expect(readAfter(nimble, idle).report).toMatchObject({ viewers: 0, bandwidth: 0, cpu: 0, streams: [] });
  });

  it("names the application beside its streams, or in each", () => {
    const other =
      '{"streams":[{"application":"live","stream":"cam1"},{"application":"live","stream":"cam2"}]}';
    expect(readAfter(nimble, { bodies: [status, other] }).report.streams).toEqual(["live/cam1", "live/cam2"]);
  });

  it("is worth reading though its streams are not to be had", () => {
    const read = readAfter(nimble, { bodies: [status, { problem: "it answers 404" }] });
    expect(read.report).toMatchObject({ viewers: 356 });
    expect(read.report).not.toHaveProperty("streams");
    expect(read.problemOf("streams")).toBe("it answers 404");
  });
});

describe("Wowza", () => {
  const wowza = source("wowza", `${at}:8086/connectioncounts`);
  const counts = sample("wowza-connectioncounts.xml");

  it("writes busy rates with an exponent", () => {
    expect(counts).toContain("3.61255E7");
    expect(readApart(wowza, 5, counts).report.bandwidth).toBe(3.61255e7 * 8);
  });

  it("is read with its older root, and without DASH", () => {
    const { report } = readApart(wowza, 5, sample("wowza-connectioncounts-legacy.xml"));
    expect(report).toMatchObject({ viewers: 90, bandwidth: 900212 * 8 });
  });

  it("is read flat", () => {
    const { report } = readApart(wowza, 5, sample("wowza-connectioncounts-flat.xml"));
    expect(report).toEqual({
      viewers: 96,
      streams: ["live/cam1", "live/cam2", "live/ops/backup.stream"],
    });
  });

  it("has a single stream, or none", () => {
    const stream = (name: string) => `<Stream><Name>${name}</Name><SessionsTotal>4</SessionsTotal></Stream>`;
    const page = (streams: string) =>
      `<WowzaStreamingEngine><ConnectionsCurrent>5</ConnectionsCurrent><MessagesOutBytesRate>0.0` +
      `</MessagesOutBytesRate><VHost><ConnectionsLimit>0</ConnectionsLimit><Application><Name>live</Name>` +
      `<ApplicationInstance><Name>tenant</Name>${streams}</ApplicationInstance></Application></VHost>` +
      "</WowzaStreamingEngine>";
    const one = readApart(wowza, 5, page(stream("a+b%2Fc%C3%A9+100%25"))).report;
    expect(one).toMatchObject({ viewers: 4, streams: ["live/tenant/a b/cé 100%"] });
    expect(readApart(wowza, 5, page(stream("100%"))).report.streams).toEqual(["live/tenant/100%"]);
    expect(readApart(wowza, 5, page("")).report).toMatchObject({ viewers: 0, streams: [] });
  });

  it("states a limit only where every virtual host has one", () => {
    expect(readApart(wowza, 5, counts).report).not.toHaveProperty("capacity");
    const limited = counts.replaceAll("<ConnectionsLimit>0<", "<ConnectionsLimit>500<");
    expect(readApart(wowza, 5, limited).report.capacity).toEqual({ viewers: 500 });
  });

  it("sends XML from its REST interface all the same", () => {
    const rest = source("wowza", `${at}:8087`, { application: "live" });
    const bodies = [sample("wowza-machine-current.xml"), sample("wowza-application-current.xml"), "{}"];
    expect(readAfter(rest, { bodies }).report).toMatchObject({
      viewers: 96,
      bandwidth: 289_004_000,
      cpu: expect.closeTo(0.29) as number,
      memory: expect.closeTo(0.6321, 4) as number,
    });
  });

  it("may be called v2", () => {
    const requests = (url: string) =>
      sourceTypeOf(source("wowza", url)).requests(source("wowza", url), {
        before: undefined,
        random: () => 0,
      });
    for (const url of ["http://v2.example.net:8087/", "http://v2.example.net:8087/v2/machine"])
      expect(requests(url)[0]?.url).toBe("http://v2.example.net:8087/v2/machine/monitoring/current");
  });

  it.each([
    [{ cpuIdle: 0, cpuUser: 0, cpuSystem: 0 }, undefined],
    [{ cpuIdle: -1, cpuUser: 0, cpuSystem: 0 }, undefined],
    [{ cpuIdle: 0, cpuUser: 90, cpuSystem: 10 }, 1],
    [{ cpuIdle: 0, cpuUser: undefined, cpuSystem: undefined }, 1],
    [{ cpuIdle: 100, cpuUser: 0, cpuSystem: 0 }, 0],
  ])("is not full of processors that it has not measured yet: %j", (cpu, share) => {
    const bodies = [
      changed("wowza-machine-current.json", cpu),
      sample("wowza-application-current.json"),
      "{}",
    ];
    const read = readAfter(source("wowza", "http://127.0.0.1:8087", { application: "live" }), { bodies });
    expect(read.report.cpu).toBe(share);
    if (share === undefined) expect(read.problemOf("cpu")).toMatch(/not known to the server itself yet/);
  });

  it("has no rates of a whole virtual host, but counters", () => {
    const rest = source("wowza", `${at}:8087`);
    const machine = sample("wowza-machine-current.json");
    const traffic = sample("wowza-vhost-current.json");
    const later = changed("wowza-vhost-current.json", { bytesOut: 2212345990011 + 5_000_000 });
    const read = readAfter(rest, { bodies: [machine, traffic] }, { bodies: [machine, later], atMs: 5000 });
    expect(read.report).toMatchObject({ viewers: 97, bandwidth: 8_000_000 });
  });

  it("tells of the machine while an application is not there", () => {
    const rest = source("wowza", `${at}:8087`, { application: "vod" });
    const missing = { problem: "it answers 404" };
    const read = readAfter(rest, { bodies: [sample("wowza-machine-current.json"), missing, missing] });
    expect(read.report).toEqual({
      cpu: expect.closeTo(0.29) as number,
      memory: expect.closeTo(0.6321, 4) as number,
    });
    expect(read.problemOf("viewers")).toBe("it answers 404");
  });
});

describe("Flashphoner", () => {
  const wcs = source("flashphoner", at);

  it("says the same in JSON, with numbers as text", () => {
    const [text, json] = ["flashphoner-stat.txt", "flashphoner-stat.json"].map(
      (name) => readAfter(wcs, { bodies: [sample(name)] }).report,
    );
    expect(json).toEqual(text);
  });

  it("is read in its older form, where a call may be a publisher's", () => {
    const read = readAfter(wcs, {
      bodies: [sample("flashphoner-stat-legacy.txt"), { problem: "it answers 404" }],
    });
    expect(read.report).toMatchObject({ viewers: 3, cpu: 0.34 });
    expect(read.problemOf("viewers")).toMatch(/publish/);
  });

  it("says -1 for a CPU load that it does not know yet", () => {
    const body = sample("flashphoner-stat.txt").replace("cpu_usage=37.5", "cpu_usage=-1");
    expect(readAfter(wcs, { bodies: [body] }).report).not.toHaveProperty("cpu");
  });

  it("keeps what stands behind the first = and before the last /", () => {
    const body = sample("flashphoner-stat.txt").replace(
      /streams_viewers=.*/,
      "streams_viewers=a=b/c/40;d/9;",
    );
    expect(readAfter(wcs, { bodies: [body] }).report.streams).toEqual(["a=b/c", "d"]);
  });
});

describe("nginx-rtmp", () => {
  const rtmp = source("nginx-rtmp", `${at}/stat`);
  const stat = sample("nginx-rtmp-stat.xml").replaceAll("\r\n", "\n");

  it("is read idle, with CRLF, without a stylesheet", () => {
    const idle = sample("nginx-rtmp-stat-idle.xml");
    expect(idle).toContain("\r\n");
    expect(readApart(rtmp, 5, idle).report).toEqual({ viewers: 0, bandwidth: 0, streams: [] });
  });

  it("is nginx-http-flv-module, with another root", () => {
    const flv = stat.replace("<rtmp>", "<http-flv>").replace("</rtmp>", "</http-flv>");
    expect(readApart(rtmp, 5, flv).report).toEqual(readApart(rtmp, 5, stat).report);
  });

  it("has viewers who wait for a stream that is not there", () => {
    const waiting = stat.replaceAll("<publishing/>\n<active/>", "");
    expect(readApart(rtmp, 5, waiting).report).toMatchObject({ viewers: 83, streams: [] });
  });

  it("does not take a publisher among the clients for one of the stream", () => {
    const [before = "", after = ""] = stat.split("<nclients>61</nclients>");
    const inside = `${before}<nclients>61</nclients>${after.replace("<publishing/>\n<active/>", "")}`;
    expect(readApart(rtmp, 5, inside).report).toMatchObject({ viewers: 82, streams: ["live/cam2"] });
  });

  it("drops a stream whose source died, though it stays published on an edge", () => {
    const dead = stat.replace("<publishing/>\n<active/>", "<publishing/>");
    expect(readApart(rtmp, 5, dead).report).toMatchObject({ viewers: 81, streams: ["live/cam2"] });
  });

  it("does not count edges that pull from it", () => {
    const pulling = stat.replace("LNX 9,0,124,2", "LNX.11,1,102,55");
    expect(readApart(rtmp, 5, pulling).report.viewers).toBe(80);
  });

  it("has escaped names", () => {
    const named = stat.replace("<name>cam1</name>", "<name>a &amp; b &lt;c&gt;</name>");
    expect(readApart(rtmp, 5, named).report.streams).toContain("live/a & b <c>");
  });

  it("says so when another worker answers, and goes on saying so", () => {
    const other = stat.replace("<pid>9608<", "<pid>9609<");
    expect(readApart(rtmp, 5, stat, stat).problemOf("viewers")).toBeUndefined();
    expect(readApart(rtmp, 5, stat, other).problemOf("viewers")).toMatch(/one worker of several/);
    expect(readApart(rtmp, 5, stat, other, other).problemOf("viewers")).toMatch(/one worker of several/);
    const restarted = other.replace("<uptime>58210<", "<uptime>3<");
    expect(readApart(rtmp, 5, stat, restarted).problemOf("viewers")).toBeUndefined();
  });

  it("is not any XML, and not HTML", () => {
    const problem = (body: string) => readApart(rtmp, 5, body).reading;
    expect(problem("<other/>")).toMatchObject({ problem: expect.stringMatching(/other XML/) as string });
    expect(problem("<!DOCTYPE html><html><br></html>")).toMatchObject({
      problem: expect.stringMatching(/HTML/) as string,
    });
  });
});

describe("SRS", () => {
  const srs = source("srs", at);
  const streams = sample("srs-streams.json");
  const summaries = sample("srs-summaries-1.json");

  it("answers errors with 200", () => {
    expect(readAfter(srs, { bodies: [sample("srs-error.json"), streams] }).reading).toEqual({
      kind: "unreadable",
      problem: "it answers with its error 2048",
    });
  });

  it("on an edge has no publisher among its clients, and calls a stream as its player does", () => {
    const edge = JSON.stringify({
      code: 0,
      streams: [
        {
          name: "demo.flv",
          app: "live",
          clients: 2,
          frames: 0,
          kbps: { recv_30s: 0, send_30s: 9 },
          publish: { active: true, cid: "8k2j1h0g" },
        },
      ],
    });
    expect(readAfter(srs, { bodies: [summaries, edge] }).report).toMatchObject({
      viewers: 2,
      streams: ["live/demo"],
    });
  });

  it("with its statistics off repeats itself, which is not load", () => {
    const off = changed("srs-summaries-1.json", { "data.now_ms": 1795217140600 + 600_000 });
    const read = readAfter(srs, { bodies: [off, streams] });
    expect(read.report).toEqual({ viewers: 166, streams: ["live/cam1", "live/cam2"] });
    expect(read.problemOf("bandwidth")).toMatch(/stats.enabled is off/);
  });

  it("is a new process after a restart, even if it has sent more by now", () => {
    const restarted = sample("srs-summaries-2.json").replace('"pid":"15"', '"pid":"16"');
    const read = readAfter(
      srs,
      { bodies: [summaries, streams] },
      { bodies: [restarted, streams], atMs: 10_000 },
    );
    expect(read.problemOf("bandwidth")).toMatch(/began anew/);
  });
});

describe("Ant Media", () => {
  it("knows nothing of memory where it tells only what the page cache leaves", () => {
    const ams = source("ant-media", at);
    const older = changed("ams-system-resources.json", {
      "systemMemoryInfo.availableMemory": undefined,
      "cpuUsage.systemCPULoad": -1,
      localHLSViewers: -1,
    });
    const read = readAfter(ams, { bodies: [older] });
    expect(read.report).toEqual({ viewers: 218 });
    expect(read.problemOf("memory")).toMatch(/nothing at .*availableMemory/);
    expect(read.problemOf("cpu")).toMatch(/not known to the server itself yet/);
  });
});

describe("OvenMediaEngine", () => {
  const ome = source("ovenmediaengine", at);

  it("does not count child edges, re-streams, recordings and thumbnails", () => {
    const busy = changed("ome-stats-current-1.json", {
      "response.connections": { webrtc: 130, llhls: 67, ovt: 5, push: 2, file: 1, thumbnail: 9 },
    });
    expect(readApart(ome, 5, busy).report.viewers).toBe(197);
    const older = changed("ome-stats-current-1.json", { "response.connections": undefined });
    expect(readApart(ome, 5, older).report.viewers).toBe(197);
  });

  it("puts its errors in JSON", () => {
    expect(readApart(ome, 5, sample("ome-401.json")).reading).toMatchObject({
      problem: "it answers with its error 401",
    });
  });

  it("counts anew from a new time of creation", () => {
    const restarted = changed("ome-stats-current-2.json", { "response.createdTime": "later" });
    const read = readApart(ome, 10, sample("ome-stats-current-1.json"), restarted);
    expect(read.problemOf("bandwidth")).toMatch(/began anew/);
  });
});
