import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IMPORT_FORMATS, type ImportFormat } from "../../src/import/formats.ts";
import { createIds } from "../../src/import/host.ts";
import { importFrom, type ImportOptions } from "../../src/import/import.ts";
import { noteLine } from "../../src/import/write.ts";
import { inventoryOf } from "../config/support.ts";
import * as sample from "./samples.ts";

const OPTIONS: ImportOptions = {
  hostname: "live.example.net",
  locate: (address) =>
    address.startsWith("198.51.100.")
      ? { latitude: 50.11, longitude: 8.68, words: "Frankfurt, DE" }
      : undefined,
  command: "edgeward import",
};

function imported(format: ImportFormat, texts: Record<string, string>) {
  const originals = Object.entries(texts).map(([file, text]) => ({ file, text }));
  const result = importFrom(format, originals as never, OPTIONS);
  if (result.kind === "refused") throw new Error(`${result.file}:${result.line}: ${result.problem}`);
  return { ...result, lines: result.notes.map(noteLine) };
}

/** What is printed must be a configuration without any problem, with nothing in the environment. */
async function taken(format: ImportFormat, texts: Record<string, string>) {
  const { yaml, lines } = imported(format, texts);
  const inventory = await inventoryOf(yaml, {});
  return { inventory, lines, edge: (id: string) => inventory.edges.find((edge) => edge.id === id) };
}

describe("Flashphoner's loadbalancing.xml", () => {
  it("becomes edges for wss that are read and probed", async () => {
    const { inventory, edge } = await taken("flashphoner", { "lb.xml": sample.LOADBALANCING_XML });
    expect(inventory.edges.map(({ id }) => id)).toEqual(["edge1", "edge-192-0-2-12", "edge1-2"]);
    expect(edge("edge-192-0-2-12")).toMatchObject({
      url: "https://192.0.2.12",
      urls: { wss: "wss://192.0.2.12:443" },
      addresses: [{ family: 4 }],
      probe: { type: "websocket", url: "wss://192.0.2.12/" },
      load: [{ type: "flashphoner", url: "http://192.0.2.12:8081/" }],
    });
    expect(edge("edge1")).toMatchObject({ url: "https://edge1.example.net:8443" });
    expect(inventory.services).toMatchObject([{ hostnames: ["live.example.net"], rank: "least-loaded" }]);
  });

  it("leaves behind what it cannot carry over, with the line", () => {
    const { lines, yaml } = imported("flashphoner", { "lb.xml": sample.LOADBALANCING_XML });
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^lb\.xml:2: randomize/),
        expect.stringMatching(/^lb\.xml:2: stream_distribution webrtc/),
        expect.stringMatching(/^lb\.xml:7: node 2: rtmfp has no counterpart/),
        expect.stringMatching(/^lb\.xml:9: node 3: no usable wss port; 8443/),
        expect.stringMatching(/^lb\.xml:10: node 4: no usable ip/),
      ]),
    );
    for (const line of lines) expect(yaml).toContain(`#  ${line}`);
  });

  it.each([
    ["ROUNDROBIN", "weighted"],
    ["random", "weighted"],
    ["FEWESTCALLS", "least-loaded"],
    ["LEAST_LOADED_NODE", "least-loaded"],
    ["SOMETHING", "least-loaded"],
  ])("chooses in mode %s as %s", async (mode, rank) => {
    const { inventory } = await taken("flashphoner", {
      "lb.xml": `<loadbalancer mode="${mode}"><node><ip>192.0.2.1</ip><wss>443</wss></node></loadbalancer>`,
    });
    expect(inventory.services[0]?.rank).toBe(rank);
  });
});

describe("MistServer's balancer", () => {
  it("gives its servers by what it answers, its places and tags too", async () => {
    const files = {
      "list.json": sample.LSTSERVER,
      "status.json": sample.LB_STATUS,
      "w.json": sample.LB_WEIGHTS,
    };
    const { inventory, edge, lines } = await taken("mistserver", files);
    expect(inventory.edges.map(({ id }) => id)).toEqual(["edge1", "edge-192-0-2-7", "mist"]);
    expect(edge("edge1")).toMatchObject({
      location: { latitude: 52.37, longitude: 4.9 },
      tags: ["ams", "eu"],
      url: "http://edge1.example.net:8080",
      load: [{ type: "mistserver", url: "http://edge1.example.net:4242/", passphrase: "koekjes" }],
    });
    expect(edge("edge-192-0-2-7")).toMatchObject({
      capacity: { bandwidth: 8_388_608_000 },
      load: [{ url: "http://192.0.2.7:4343/" }],
    });
    expect(edge("mist")).toMatchObject({ load: [{ url: "https://mist.example.org/" }] });
    expect(lines).toEqual(
      expect.arrayContaining([
        'list.json:5: "" is no server; left out',
        "list.json:3: 192.0.2.7:4343/1000 was not online: Monitored (error)",
        expect.stringMatching(/^w\.json: weights/),
      ]),
    );
  });

  it("gives them by its settings", async () => {
    const { inventory } = await taken("mistserver", { "mist.json": sample.LB_SETTINGS });
    expect(inventory.edges).toMatchObject([
      { id: "edge1", capacity: { bandwidth: 4_194_304_000 } },
      { id: "edge2", load: [{ url: "http://edge2.example.net:4243/" }] },
    ]);
  });
});

describe("the PHP redirector", () => {
  it("gives the servers that its code adds", async () => {
    const { inventory, edge } = await taken("redirector-php", { "redirector.php": sample.REDIRECTOR_PHP });
    expect(inventory.edges.map(({ id }) => id)).toEqual(["edge-192-0-2-10", "edge2"]);
    expect(edge("edge-192-0-2-10")).toMatchObject({
      url: "http://192.0.2.10:8081",
      load: [{ type: "nimble", url: "http://192.0.2.10:8083/", token: "pa;ss//wd", intervalMs: 5000 }],
    });
    expect(inventory.services).toMatchObject([
      { rank: "least-loaded", whenDown: "refuse", http: { redirectorPhp: true } },
    ]);
  });

  it("is read where its calls give something, and tells of servers for some media, and of other protocols", async () => {
    const php = [
      "<?php $balancer = new NimbleLoadBalancer();",
      "$cache = $balancer->setMemcachedServer( 'localhost' );",
      "$cache->setExpirationTime( 7 );",
      "$server = new NimbleServer( '192.0.2.1' );",
      "$balancer->addServer( $server );",
      "$some[] = $server;",
      "$one = $balancer->getServer( $some );",
      "$any = $balancer->getServer();",
      "$link = $one->getFullPath( 'rtmp', '/live/', 1936 );",
    ].join("\n");
    const { lines, edge } = await taken("redirector-php", { "r.php": php });
    expect(edge("edge-192-0-2-1")?.load).toMatchObject([{ intervalMs: 7000 }]);
    expect(lines.filter((line) => /^r\.php:\d/.test(line))).toEqual([
      "r.php:2: memcached is not needed any more",
      "r.php:7: getServer() among some servers: write a service with those edges",
      expect.stringMatching(/^r\.php:9: getFullPath\(\): viewers go to an edge's url here/),
    ]);
  });

  it("tells what it does not understand", () => {
    const { lines } = imported("redirector-php", { "redirector.php": sample.REDIRECTOR_PHP });
    expect(lines).toEqual(
      expect.arrayContaining([
        "redirector.php:5: memcached is not needed any more",
        expect.stringMatching(/^redirector\.php:14: edge2\.example\.net: a name/),
        expect.stringMatching(/^redirector\.php:16: adds a server that is made elsewhere/),
        expect.stringMatching(/passwords stand in the output/),
      ]),
    );
  });
});

describe("servers that our configuration would not take", () => {
  it("are left out of MistServer's, and told", async () => {
    const servers = '{"edge1.example.net:99999": "", "0.0.0.0": "", "0x10": "", "192.0.2.1": ""}';
    const { inventory, lines } = await taken("mistserver", { servers });
    expect(inventory.edges).toHaveLength(1);
    expect(lines.filter((line) => line.includes("is no server; left out"))).toHaveLength(3);
  });

  it("lose in PHP a password that would be a variable here, and a port that is none", async () => {
    const php = `<?php $s = new NimbleServer('192.0.2.1'); $s->setManagementPassword('a\${HOME}b');
$s->setManagementPort(1.5); $b = new NimbleLoadBalancer(); $b->addServer($s);`;
    const { edge, lines } = await taken("redirector-php", { "r.php": php });
    expect(edge("edge-192-0-2-1")?.load).toMatchObject([{ url: "http://192.0.2.1:8082/" }]);
    expect(edge("edge-192-0-2-1")?.load[0]).not.toHaveProperty("token");
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^r\.php:1: a password that cannot stand in our file/),
        expect.stringMatching(/^r\.php:2: no usable management port; 8082 is taken/),
      ]),
    );
  });
});

describe("gdnsd", () => {
  const files = { config: sample.GDNSD_CONFIG, "zones/example.com": sample.GDNSD_ZONE };

  it("gives its datacenters and resources, and hostnames from its zone files", async () => {
    const { inventory, edge } = await taken("gdnsd", files);
    expect(inventory.edges.map(({ id }) => id)).toEqual(["ams", "sin", "nyc", "ams-2", "eu", "us"]);
    expect(edge("ams")).toMatchObject({
      location: { latitude: 52.37, longitude: 4.9 },
      addresses: [{ family: 4 }, { family: 6 }],
      probe: {
        type: "http",
        url: "http://192.0.2.11:8080/health",
        host: "live.example.com",
        intervalMs: 5000,
        timeoutMs: 2000,
      },
    });
    expect(edge("sin")?.addresses).toHaveLength(2);
    expect(edge("nyc")?.addresses).toHaveLength(2);
    expect(edge("ams-2")).toMatchObject({ probe: { type: "tcp", port: 1935 } });
    expect(edge("eu")).toMatchObject({ location: { latitude: 50.11 }, probe: { type: "none" } });
    expect(
      inventory.services.map(({ id, hostnames, edges }) => [
        id,
        hostnames,
        edges.map((index) => inventory.edges[index]?.id),
      ]),
    ).toEqual([
      ["live", ["live.example.com"], ["ams", "sin", "nyc"]],
      ["ingest", ["in.studio.example.com"], ["ams-2"]],
      ["www", ["www.cdn.example.net"], ["eu", "us"]],
    ]);
    expect(inventory.services[0]?.dns.ttlSeconds).toBe(300);
  });

  it("tells of addresses that lead a viewer to himself", () => {
    const config = `plugins => { geoip => { resources => { live => { dcmap => {
      ams => 192.0.2.1
      none => [127.0.0.1, ::1]
    } } } } }`;
    expect(imported("gdnsd", { config }).lines.filter((line) => line.includes("himself"))).toEqual([
      "config:3: live/none: 127.0.0.1 leads each viewer to himself",
      "config:3: live/none: ::1 leads each viewer to himself",
    ]);
  });

  it("tells what has no counterpart", () => {
    const { lines } = imported("gdnsd", files);
    for (const line of [
      /^config:1: options/,
      /^config:5: service type script \(extmon\)/,
      /^config:14: map auto: nets/,
      /^config:16: map plain: map/,
      /^config:30: ingest\/sin: last\.resort\.example\.net\. is a name/,
      /^config:30: ingest\/nyc: %weighted!x is another plugin/,
      /^config: resource www: no DYNA record/,
      /^config: eu: its location is GeoIP's guess \(Frankfurt, DE\)/,
      /^config:35: plugin weighted/,
    ])
      expect(lines).toEqual(expect.arrayContaining([expect.stringMatching(line)]));
  });

  it("tells each hostname that is not carried over, or with another TTL", () => {
    const zone = [
      "@ SOA ns1 hostmaster ( 1 7200 1800 259200 900 )",
      "live 300 DYNA geoip!live",
      "cdn 60 DYNC geoip!live",
      "www 60/5 IN DYNA multifo!pool",
      "w DYNC weighted!w",
      "lost DYNA geoip!gone",
      "txt TXT DYNA-is-but-a-word",
    ];
    const { lines } = imported("gdnsd", { ...files, "zones/example.com": zone.join("\n") });
    for (const line of [
      "config: cdn.example.com: its TTL is 60s there, 300s here",
      "zones/example.com:4: www.example.com: is answered by multifo!pool, which is not carried over",
      "zones/example.com:5: w.example.com: is answered by weighted!w, which is not carried over",
      "config: lost.example.com: is answered by resource gone, which there is none of",
      "zones/example.com: its other records, 1, are not carried over; write them under zones, or delegate the hostnames",
    ])
      expect(lines).toContain(line);
  });

  const resource = (inside: string, types = "", beside = "") =>
    `service_types => { ${types} } plugins => { geoip => { ${beside} maps => { m => { datacenters => [a] } }, resources => { r => { ${inside} } } } }`;
  const http = "hls => { plugin => http_status, up_thresh => 3, ok_thresh => 8, interval => 6 }";

  it("has resources take what stands beside them all", async () => {
    const { edge } = await taken("gdnsd", {
      config: resource("dcmap => { a => 192.0.2.1 }", http, "service_types => hls, map => m,"),
    });
    expect(edge("a")).toMatchObject({
      probe: { type: "http", status: [200], rise: 3, fall: 10, intervalMs: 6000, timeoutMs: 3000 },
    });
  });

  it("takes out of service what is down there, also by the service types of a family", async () => {
    const dcs =
      "a => { service_types => [ up, down ], x => 192.0.2.1 } b => { addrs_v4 => { service_types => hls, x => 192.0.2.2 } }";
    const { edge } = await taken("gdnsd", { config: resource(`map => m, dcmap => { ${dcs} }`, http) });
    expect(edge("a")).toMatchObject({ state: "off", probe: { type: "none" } });
    expect(edge("b")).toMatchObject({ state: "active", probe: { type: "http" } });
  });

  it("tells what decides differently here, and what of a probe it cannot take", async () => {
    const types =
      "hls => { plugin => http_status, port => 0, url_path => health, up_thresh => 20 } odd => { plugin => http_status, url_path => health, vhost => a_b, ok_codes => 1, interval => x, up_thresh => 20 }";
    const inside =
      "map => m, service_types => [ hls, odd ], skip_first => true, up_thresh => 0.3, dcmap => { a => { multi => true, x => 192.0.2.1, y => 0.0.0.0 } }";
    const { lines, edge } = await taken("gdnsd", { config: resource(inside, types) });
    expect(edge("a")).toMatchObject({
      probe: { url: "http://192.0.2.1/", status: [200], intervalMs: 10_000 },
    });
    for (const line of [
      "config:1: service type hls: no usable port; write a probe",
      "config:1: service type odd: url_path is none that could be asked for; / is taken",
      "config:1: service type odd: vhost is no hostname; left out",
      "config:1: service type odd: up_thresh 20: at most 10 in a row count here",
      "config:1: resource r: skip_first is not carried over: the nearest is answered here",
      "config:1: resource r: up_thresh is not carried over: a family is up here while any of its addresses is",
      "config:1: r/a: multi is not carried over: see services.NAME.dns.answers",
      "config:1: r/a: 0.0.0.0 is no address of a host; left out",
      "config: zones: the nameservers and the contact are assumed; write yours",
    ])
      expect(lines).toContain(line);
  });

  it("reads zone files: units of TTLs, names of the zone, one datacenter alone, and counts the rest", async () => {
    const zone = [
      "@ SOA ns1 hostmaster ( 1 2 3 4 5 )",
      "@ NS ns1",
      "ns1 A 192.0.2.53",
      "www 5m/30 IN DYNA geoip!r",
      "$ORIGIN sub",
      "here DYNC geoip!r",
      "there.@Z DYNA geoip!r/a",
      "not_here DYNA geoip!r",
      "$INCLUDE more",
      "t TXT hello",
    ].join("\n");
    const files = { config: resource("map => m, dcmap => { a => 192.0.2.1 }"), "zones/example.com": zone };
    const { lines, inventory } = await taken("gdnsd", files);
    expect(inventory.services[0]).toMatchObject({
      hostnames: ["www.example.com", "here.sub.example.com", "there.example.com"],
      dns: { ttlSeconds: 300 },
    });
    for (const line of [
      "config: there.example.com: is answered by datacenter a alone there, by all of resource r here",
      "zones/example.com:8: not_here.sub.example.com is no hostname; left out",
      "zones/example.com:9: $INCLUDE is not followed; give that file, too",
      "zones/example.com: its other records, 2, are not carried over; write them under zones, or delegate the hostnames",
    ])
      expect(lines).toContain(line);
  });

  it("keeps resources apart whose names differ in what no id may hold", async () => {
    const config =
      "plugins => { geoip => { maps => { m => { datacenters => [a] } }, resources => { a.b => { map => m, dcmap => { a => 192.0.2.1 } }, a-b => { map => m, dcmap => { a => 192.0.2.2 } } } } }";
    const { yaml } = imported("gdnsd", { config });
    expect(yaml).toMatch(/ {2}a-b:[^]* {2}a-b-2:/);
  });

  it("tells a weight from a name", async () => {
    const config =
      "plugins => { geoip => { maps => { m => { datacenters => [a] } }, resources => { r => { map => m, dcmap => { a => { lb1 => [ 192.0.2.1, 20 ] } } } } } }";
    const { lines, edge } = await taken("gdnsd", { config });
    expect(lines).toContain("config:1: r/a: 20 is a weight, and edges here have one of their own; left out");
    expect(edge("a")?.addresses).toHaveLength(1);
  });
});

describe("a list of mirrors", () => {
  it("becomes edges, whatever its columns are called and its separator is", async () => {
    const { inventory, edge, lines } = await taken("csv", { "mirrors.csv": sample.MIRRORS_CSV });
    expect(inventory.edges.map(({ id }) => id)).toEqual(["mirror-one", "two", "three"]);
    expect(edge("mirror-one")).toMatchObject({
      url: "https://one.example.net/pub",
      location: { latitude: 52.37, longitude: 4.9 },
      weight: 10,
      addresses: [{ family: 4 }],
    });
    expect(edge("two")).toMatchObject({ state: "off", url: "http://two.example.net", weight: 0 });
    expect(edge("three")).toMatchObject({ location: { latitude: 50.11 } });
    expect(edge("three")?.addresses).toHaveLength(2);
    expect(lines).toEqual(
      expect.arrayContaining([
        "mirrors.csv:1: column Country is not carried over",
        "mirrors.csv:4: latitude: x is no number",
        "mirrors.csv:5: no usable url or address; left out",
      ]),
    );
  });

  it("leaves out addresses and urls of no host, words that are variables here, and too much", async () => {
    const { inventory, edge, lines } = await taken("csv", {
      "mirrors.csv": [
        "name,url,ip,tags,weight",
        "constructor,http://one.example.net,0.0.0.0 192.0.2.1,eu|${HOME},2000000",
        "two,http://0x10,192.0.2.2,,",
        "three,http://${HOST},,,",
      ].join("\n"),
    });
    expect(inventory.edges.map(({ id }) => id)).toEqual(["constructor-2", "two"]);
    expect(edge("constructor-2")).toMatchObject({ tags: ["eu"], weight: 1 });
    expect(edge("two")?.url).toBeUndefined();
    for (const line of [
      "mirrors.csv:2: 0.0.0.0 is no address of a host; left out",
      "mirrors.csv:2: a tag that cannot be one here; left out",
      "mirrors.csv:2: weight: 2000000 is too much",
      "mirrors.csv:3: no usable url; left out",
      "mirrors.csv:4: no usable url or address; left out",
    ])
      expect(lines).toContain(line);
  });

  it("leaves out what our configuration would not take", async () => {
    const { inventory, edge, lines } = await taken("csv", {
      "mirrors.csv": [
        "name,url,lat,lon,viewers,bandwidth",
        "one,ftp://one.example.net,1,2,,",
        "two,http://two.example.net,95,2,0,-5",
        "three,three.example.net:8080/pub,1,2,1,0.5",
      ].join("\n"),
    });
    expect(inventory.edges.map(({ id }) => id)).toEqual(["two", "three"]);
    expect(edge("two")).toMatchObject({ location: { latitude: 0, longitude: 0 }, capacity: {} });
    expect(edge("three")).toMatchObject({
      url: "http://three.example.net:8080/pub",
      capacity: { viewers: 1, bandwidth: 500_000 },
    });
    expect(lines).toEqual(
      expect.arrayContaining([
        "mirrors.csv:2: no usable url or address; left out",
        "mirrors.csv: two: 95, 2 is nowhere; not carried over",
        "mirrors.csv:3: viewers: 0 is too little",
        "mirrors.csv:3: bandwidth: -5 is too little",
      ]),
    );
  });
});

describe("edges of a list that would have the same id", () => {
  it("get one each, and it is told", async () => {
    const { inventory, lines } = await taken("csv", {
      "mirrors.csv": "name,url\na,http://192.0.2.1\na,http://192.0.2.2\na.example.net,http://192.0.2.3",
    });
    expect(inventory.edges.map(({ id }) => id)).toEqual(["a", "a-2", "a-3"]);
    expect(lines.filter((line) => line.includes("another edge"))).toEqual([
      "mirrors.csv:3: a: another edge has its id; it is a-2 here",
      "mirrors.csv:4: a.example.net: another edge has its id; it is a-3 here",
    ]);
  });
});

describe("what is none of these", () => {
  it.each([
    ["flashphoner", "<loadbalancer>", /cut short/],
    ["flashphoner", "<nodes/>", /no <loadbalancer>/],
    ["flashphoner", "<loadbalancer/>", /no <node>/],
    [
      "flashphoner",
      '<!DOCTYPE x [<!ENTITY a "b">]><loadbalancer><node><ip>&a;</ip></node></loadbalancer>',
      /entities/,
    ],
    ["mistserver", "<html>", /not JSON/],
    ["mistserver", "{}", /no server/],
    ["redirector-php", "<?php phpinfo();", /no server is added/],
    ["gdnsd", "plugins => { geoip => {", /end of the file/],
    ["gdnsd", "plugins => [ }", /1: a value belongs here/],
    ["gdnsd", "options => {}", /nothing in it$/],
    [
      "gdnsd",
      "plugins => { geoip => { maps => { $include{m} }, resources => { $include{r} } } }",
      /nothing in it; \$include is not followed: put the contents of m, r in its place/,
    ],
    ["gdnsd", `a => ${"[".repeat(2000)}`, /nested too deeply/],
    ["csv", "", /empty/],
    ["csv", "a,b\n1,2", /no column url/],
    ["csv", "url\n\n", /no row/],
  ] as const)("is refused as %s: %j", (format, text, problem) => {
    expect(() => imported(format, { file: text })).toThrow(problem);
  });

  it("never throws, whatever is in the file", () => {
    const piece = fc.constantFrom(...Object.values(sample).flatMap((text) => text.split(/(?<=[\s,;{}])/)));
    const text = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join("")),
    );
    fc.assert(
      fc.property(fc.constantFrom(...IMPORT_FORMATS), text, (format, text) => {
        const result = importFrom(format, [{ file: "f", text }], OPTIONS);
        expect(["imported", "refused"]).toContain(result.kind);
      }),
      { numRuns: 2000 },
    );
  });
});

it("hands out each id once, and none that is too long, to whatever many servers of one name", () => {
  const idOf = createIds();
  const wanted = `${"a".repeat(70)}.example.net`;
  const ids = Array.from({ length: 50_000 }, () => idOf(wanted));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.slice(0, 3)).toEqual(["a".repeat(63), `${"a".repeat(57)}-2`, `${"a".repeat(57)}-3`]);
  expect(Math.max(...ids.map(({ length }) => length))).toBe(63);
});
