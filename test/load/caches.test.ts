import { describe, expect, it } from "vitest";
import { sourceTypeOf } from "../../src/load/registry.ts";
import type { PolledLoad } from "../../src/load/source.ts";
import { readAfter, readApart, sample, source } from "./reading.ts";

const at = "http://192.0.2.10";
const urlsOf = (polled: PolledLoad) =>
  sourceTypeOf(polled)
    .requests(polled, { before: undefined, random: Math.random })
    .map(({ url }) => url);

describe("nginx", () => {
  const stub = source("nginx-stub-status", `${at}/stub_status`);

  it("says in stub_status when connections were lost", () => {
    const body = sample("nginx-stub-status.txt").replace("16630948 16630948", "16630948 16630940");
    expect(readApart(stub, 5, body).problemOf("viewers")).toMatch(/^8 connections were dropped/);
    expect(readApart(stub, 5, sample("nginx-stub-status.txt")).problemOf("viewers")).toBeUndefined();
    expect(readApart(stub, 5, "<html>Welcome to nginx!</html>").reading).toMatchObject({
      problem: "expected stub_status, got HTML or XML",
    });
  });

  const vts = source("nginx-vts", `${at}/status/format/json`);
  const [first, second] = [sample("nginx-vts-1.json"), sample("nginx-vts-2.json")] as const;

  it("never adds the sum of its zones to the zones", () => {
    expect(readApart(vts, 10, first, second).report.bandwidth).toBe(200_040_000);
  });

  it("counts anew after a reload, whatever its counters say", () => {
    const reloaded = second.replace('"loadMsec":1795211000000', '"loadMsec":1795217149000');
    expect(readApart(vts, 10, first, reloaded).problemOf("bandwidth")).toMatch(/began anew/);
  });

  it("goes by its own clock, not by when its reply came", () => {
    expect(readApart(vts, 14, first, second).report.bandwidth).toBe(200_040_000);
  });

  it("may have its reply cached in between: the rate stays, but not for ever", () => {
    const at = (atMs: number, body: string) => ({ bodies: [body], atMs });
    const cached = [at(0, first), at(10_000, second), at(15_000, second)];
    expect(readAfter(vts, ...cached).report.bandwidth).toBe(200_040_000);
    expect(readAfter(vts, ...cached, at(41_000, second)).problemOf("bandwidth")).toMatch(/stood still/);
  });

  it("may have no zones, or none by stream", () => {
    const none = { serverZones: {}, connections: { active: 4 }, nowMsec: 1, loadMsec: 1 };
    const read = readApart(vts, 10, JSON.stringify(none));
    expect(read.report).toEqual({ viewers: 4 });
    expect(read.problemOf("bandwidth")).toMatch(/no zone/);
    expect(read.problemOf("streams")).toMatch(/filter_by_set_key/);
  });

  it("is Angie, or Plus, and says when there is no such page", () => {
    expect(readApart(vts, 10, sample("angie-error.json")).reading).toMatchObject({
      problem: expect.stringMatching(/no such page/) as string,
    });
    const plus = source("nginx-vts", `${at}/api/9/`);
    expect(urlsOf(plus)).toEqual([
      `${at}/api/9/connections`,
      `${at}/api/9/http/server_zones`,
      `${at}/api/9/nginx`,
    ]);
    expect(readAfter(plus, { bodies: [sample("nginx-plus-error.json"), "{}", "{}"] }).reading).toMatchObject({
      problem: expect.stringMatching(/no such page/) as string,
    });
  });

  it("has a zone more than before, whose octets were not sent just now", () => {
    const angie = source("nginx-vts", `${at}/status/`);
    const [one, two] = [sample("angie-status-1.json"), sample("angie-status-2.json")] as const;
    const more = two.replace(
      '"server_zones": {\n   "hls"',
      '"server_zones": {\n   "new": {"data": {"sent": 9e15}},\n   "hls"',
    );
    expect(more).not.toBe(two);
    expect(readApart(angie, 10, one, more).problemOf("bandwidth")).toMatch(/came or went/);
    expect(readApart(angie, 10, one, more, more).report.bandwidth).toBe(0);
  });
});

describe("Varnish", () => {
  const varnish = source("varnish", `${at}/varnish.json`);

  it("is read as before 6.5, with counters at the top", () => {
    expect(readApart(varnish, 5, sample("varnishstat-pre65.json")).report).toEqual({ viewers: 2 });
  });

  it("counts anew when its child restarts", () => {
    const restarted = sample("varnishstat-2.json").replace("864015", "12");
    expect(readApart(varnish, 10, sample("varnishstat-1.json"), restarted).problemOf("bandwidth")).toMatch(
      /began anew/,
    );
  });

  it("may be out of its exporter's reach", () => {
    const down = sample("varnish-exporter.txt").replace("varnish_up 1", "varnish_up 0");
    expect(readApart(varnish, 5, down).reading).toMatchObject({
      problem: expect.stringMatching(/varnish_up 0/) as string,
    });
  });

  it("makes a rate of exponents", () => {
    const first = sample("varnish-exporter.txt");
    const second = first.replace("9.18773645e+11", "9.18774645e+11");
    expect(readApart(varnish, 10, first, second).report.bandwidth).toBe(800_000);
  });
});

describe("HAProxy", () => {
  const haproxy = source("haproxy", `${at}/stats;csv`);
  const [first, second] = [sample("haproxy-stats-1.csv"), sample("haproxy-stats-2.csv")] as const;

  it("is asked for CSV, or for metrics", () => {
    const asked = (url: string) => urlsOf(source("haproxy", at + url))[0];
    expect(asked("/stats")).toBe(`${at}/stats;csv`);
    expect(asked("/stats?scope=edge")).toBe(`${at}/stats;csv?scope=edge`);
    expect(asked("/stats;csv;norefresh")).toBe(`${at}/stats;csv;norefresh`);
    expect(asked("/metrics")).toBe(`${at}/metrics`);
  });

  it("may have commas, quotes and line ends in a field", () => {
    const odd = second.replace('info: ""OK""', 'info: ""O,K""\n# pxname');
    expect(readApart(haproxy, 10, first, odd).report).toMatchObject({ viewers: 352, bandwidth: 350_000_000 });
  });

  it("takes no more at all frontends together than the process does", () => {
    const both = (first: number, second: number, process: string) =>
      [
        `haproxy_frontend_current_sessions{proxy="http"} 1`,
        `haproxy_frontend_current_sessions{proxy="https"} 1`,
        `haproxy_frontend_limit_sessions{proxy="http"} ${first}`,
        `haproxy_frontend_limit_sessions{proxy="https"} ${second}`,
        process,
      ].join("\n");
    const limitOf = (body: string) => readApart(haproxy, 10, body).report.capacity?.viewers;
    expect(limitOf(both(4000, 4000, "haproxy_process_max_connections 4000"))).toBe(4000);
    expect(limitOf(both(1000, 2000, "haproxy_process_max_connections 4000"))).toBe(3000);
    expect(limitOf(both(0, 2000, "haproxy_process_max_connections 4000"))).toBe(4000);
    expect(limitOf(both(1000, 2000, ""))).toBe(2000);
    expect(limitOf(both(0, 2000, ""))).toBeUndefined();
  });

  it("tells in CSV the limit of the process with each frontend that has none", () => {
    const body = "# pxname,svname,scur,slim,bout,\nhttp,FRONTEND,5,4000,7,\nhttps,FRONTEND,5,4000,7,\n\n";
    expect(readApart(haproxy, 10, body).report).toEqual({ viewers: 10, capacity: { viewers: 4000 } });
  });

  it("may order its columns in any way", () => {
    const body = "# pxname,bout,svname,scur,slim,\nedge,7,FRONTEND,5,10,\n\n";
    expect(readApart(haproxy, 10, body).report).toEqual({ viewers: 5, capacity: { viewers: 10 } });
  });

  it("starts from zero with a reload", () => {
    const reloaded = second.replace("918711145000,0", "17,0");
    const read = readApart(haproxy, 10, first, reloaded);
    expect(read.report).toEqual({ viewers: 352, capacity: { viewers: 4000 } });
    expect(read.problemOf("bandwidth")).toMatch(/began anew/);
  });

  it("does not count those who look at its statistics, unless there is nothing else", () => {
    const only = second
      .split("\n")
      .filter((line) => !line.startsWith("edge_http"))
      .join("\n");
    expect(readApart(haproxy, 10, only).report.viewers).toBe(1);
  });

  it("says what to change when its page is the one for people", () => {
    const page = "<!DOCTYPE HTML><html><head><title>Statistics Report for HAProxy</title>";
    expect(readApart(haproxy, 10, page).reading).toMatchObject({
      problem: expect.stringMatching(/;csv/) as string,
    });
  });

  it("is read through the older exporter, too", () => {
    const older = sample("haproxy-metrics.txt").replaceAll("proxy=", "frontend=");
    expect(readApart(haproxy, 10, older).report).toMatchObject({ viewers: 352, capacity: { viewers: 4000 } });
  });
});

describe("Apache", () => {
  const apache = source("apache", `${at}/server-status?auto`);
  const [first, second] = [sample("apache-status-1.txt"), sample("apache-status-2.txt")] as const;

  it("is asked for the page for programs", () => {
    expect(urlsOf(source("apache", `${at}/server-status`))).toEqual([`${at}/server-status?auto`]);
    expect(urlsOf(apache)).toEqual([`${at}/server-status?auto`]);
  });

  it("without the event MPM counts the workers that are busy, but for the one that answers", () => {
    const prefork = second.replace(/^Conns.*\n/gm, "");
    expect(readApart(apache, 10, prefork).report.viewers).toBe(5);
  });

  it("without ExtendedStatus counts no octets", () => {
    const read = readApart(apache, 10, second.replace(/^Total.*\n/gm, ""));
    expect(read.problemOf("bandwidth")).toMatch(/ExtendedStatus On/);
    expect(read.reading).toMatchObject({ again: false });
  });

  it("counts anew after a restart, even if it has sent more by now", () => {
    const restarted = second.replace(/^Uptime: .*$/m, "Uptime: 9");
    expect(readApart(apache, 10, first, restarted).problemOf("bandwidth")).toMatch(/began anew/);
  });

  it("has neither a current rate nor a CPU load, and says none", () => {
    expect(readApart(apache, 10, second).report).toEqual({ viewers: 204 });
  });
});

describe("node_exporter", () => {
  const machine = source("node-exporter", `${at}/metrics`);
  const [first, second] = [sample("node-exporter-1.txt"), sample("node-exporter-2.txt")] as const;

  it("counts what leaves the machine, once", () => {
    const more = (body: string, octets: number) =>
      body.replace(
        'node_network_transmit_bytes_total{device="lo"}',
        ["bond0", "bond0.100", "veth12", "br-3", "br0", "vmbr1", "tun0", "wg0", "tailscale0", "eth0.7"]
          .map((device) => `node_network_transmit_bytes_total{device="${device}"} ${octets}\n`)
          .join("") + 'node_network_transmit_bytes_total{device="lo"}',
      );
    const { report } = readApart(machine, 10, more(first, 1e9), more(second, 1.01e9));
    expect(report.bandwidth).toBe(8_000_000);
  });

  it("looks at one interface where that is asked for", () => {
    const docker = source("node-exporter", `${at}/metrics`, { interface: "docker0" });
    const read = readApart(docker, 10, first, second);
    expect(read.report).toMatchObject({ bandwidth: 80_000_000 });
    expect(read.report).not.toHaveProperty("capacity");
    const missing = source("node-exporter", `${at}/metrics`, { interface: "eth1" });
    expect(readApart(missing, 10, first, second).problemOf("bandwidth")).toMatch(/no interface of that name/);
  });

  it("has labels in any order, escapes, commas at the end, timestamps, infinities", () => {
    const odd = second
      .replace(
        /node_cpu_seconds_total\{cpu="(\d)",mode="(\w+)"\} (\S+)/g,
        'node_cpu_seconds_total{mode="$2",cpu="$1",} $3 1795217165000',
      )
      .replace(
        "node_load1 1.64",
        'node_load1 1.64\nnode_memory_MemTotal_bytes_other +Inf\nodd{a="\\"}\\n\\\\"} NaN',
      );
    expect(readApart(machine, 10, first, odd).report).toEqual(readApart(machine, 10, first, second).report);
  });

  it("may have a CPU that idles backwards a little, as virtual ones do", () => {
    const back = second.replace('cpu="0",mode="idle"} 1072.71', 'cpu="0",mode="idle"} 1066.21');
    const { report } = readApart(machine, 10, first, back);
    expect(report.cpu).toBeGreaterThan(0.39);
    expect(report.cpu).toBeLessThanOrEqual(1);
  });

  it("counts anew when the machine has booted", () => {
    const booted = second.replace("1.795215226e+09", "1.795217100e+09");
    const read = readApart(machine, 10, first, booted);
    expect(read.report).not.toHaveProperty("bandwidth");
    expect(read.report).not.toHaveProperty("cpu");
    expect(read.problemOf("cpu")).toMatch(/began anew/);
  });

  it("may not tell its time: then ours counts", () => {
    const timeless = (body: string) => body.replace(/^node_time_seconds .*\n/m, "");
    expect(timeless(second)).not.toBe(second);
    expect(readApart(machine, 10, timeless(first), timeless(second)).report).toEqual(
      readApart(machine, 10, first, second).report,
    );
  });

  it("may have its clock set, which is no time that passed", () => {
    for (const jump of ["1.795220765e+09", "1.795210000e+09"]) {
      const read = readApart(machine, 10, first, second.replace("1.795217165e+09", jump));
      expect(read.problemOf("bandwidth")).toMatch(/clock jumped/);
    }
  });
});

describe("Traffic Server", () => {
  const astats = source("astats", `${at}/_astats`, { interface: "eth0" });
  const [first, second] = [sample("astats-1.json"), sample("astats-2.json")] as const;

  it("is asked for no more than is read", () => {
    expect(urlsOf(astats)).toEqual([
      `${at}/_astats?application=current_client_connections;remap_stats&inf.name=eth0`,
    ]);
    const wide = source("astats", `${at}/_astats`, { application: "plugin" });
    expect(urlsOf(wide)).toEqual([`${at}/_astats?application=plugin`]);
  });

  it("may leave no space behind the interface's name", () => {
    const tight = (body: string) => body.replace("eth0: ", "eth0:");
    expect(readApart(astats, 10, tight(first), tight(second)).report.bandwidth).toBe(1e9);
  });

  it("finds interfaces by a part of their name, which may be the wrong one", () => {
    const other = (body: string) => body.replace('"eth0: ', '"eth01: ');
    expect(readApart(astats, 10, other(first), other(second)).problemOf("bandwidth")).toMatch(
      /another interface/,
    );
  });

  it("may speak CSV", () => {
    expect(readApart(astats, 10, sample("astats.csv")).report).toMatchObject({
      viewers: 6801,
      capacity: { bandwidth: 1e10 },
      streams: ["edge.live.example.net"],
    });
  });

  it("may call itself not available", () => {
    const off = second.replace('"inf.name"', '"notAvailable": true, "inf.name"');
    expect(readApart(astats, 10, off).reading).toMatchObject({
      problem: expect.stringMatching(/not available/) as string,
    });
  });

  it("has no speed while its link is down", () => {
    const down = second.replace('"inf.speed": 10000', '"inf.speed": 0');
    expect(readApart(astats, 10, down).report).not.toHaveProperty("capacity");
  });

  it("has numbers as text, and no interface, in stats_over_http", () => {
    const stats = source("astats", `${at}/_stats`);
    expect(urlsOf(stats)).toEqual([`${at}/_stats`]);
    const one = sample("ats-stats-over-http.json");
    const two = one.replace("690000000000", "690001000000");
    expect(readApart(stats, 10, one, two).report).toEqual({ viewers: 6770, bandwidth: 800_000, streams: [] });
  });
});
