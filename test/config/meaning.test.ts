import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { formatAddress } from "../../src/base/address.ts";
import { formatProblem } from "../../src/base/problem.ts";
import { loadConfig } from "../../src/config/load.ts";
import { folderWith, inventoryOf, loadText, options } from "./support.ts";

const zone = "{ nameservers: [ns.example.org], contact: a@example.net }";
const head = `listen: { http: ["127.0.0.1:8080"] }\n`;
const headWithZone = `${head}zones: { example.net: ${zone} }\n`;
const place = "location: { latitude: 1, longitude: 2 }, addresses: [192.0.2.1]";

async function edgeOf(defaults: string, edge: string, environment = {}) {
  const text = `${head}defaults: ${defaults}\nedges: { ams1: { ${place}, ${edge} } }\n`;
  const [only] = (await inventoryOf(text, environment)).edges;
  if (only === undefined) throw new Error("no edge");
  return only;
}

describe("defaults under an edge", () => {
  it("are merged key by key", async () => {
    const edge = await edgeOf(
      "{ capacity: { viewers: 5, bandwidth: 1Gbps }, weight: 3, tags: [a] }",
      "capacity: { viewers: 7 }, tags: [b]",
    );
    expect(edge).toMatchObject({ capacity: { viewers: 7, bandwidth: 1e9 }, weight: 3, tags: ["b"] });
  });

  it("give each share of processors and memory at which an edge is full", async () => {
    const edge = await edgeOf("{ capacity: { cpu: 0.8 } }", "capacity: { memory: 0.9 }");
    expect(edge.capacity).toEqual({ cpu: 0.8, memory: 0.9 });
  });

  it("of a probe of another type leave its timing", async () => {
    const edge = await edgeOf(
      "{ probe: { type: http, path: /health, status: 204, interval: 7s, rise: 2 } }",
      "probe: { type: tcp, port: 1935, timeout: 500ms }",
    );
    expect(edge.probe).toEqual({
      type: "tcp",
      port: 1935,
      intervalMs: 7000,
      timeoutMs: 500,
      rise: 2,
      fall: 2,
    });
  });

  it("of a probe without a type give timing to each", async () => {
    const edge = await edgeOf("{ probe: { interval: 7s } }", "probe: { type: none }");
    expect(edge.probe).toEqual({ type: "none" });
  });

  it("of a load of another type leave what that type knows", async () => {
    const edge = await edgeOf(
      "{ load: { type: json, url: http://192.0.2.9/, interval: 1s, staleAfter: 9s, fields: { viewers: a } } }",
      "load: { type: push }",
    );
    expect(edge.load).toEqual([{ type: "push", staleAfterMs: 9000 }]);
  });

  it("go to each load of a list by its type", async () => {
    const edge = await edgeOf(
      "{ load: { type: push, staleAfter: 9s } }",
      "load: [{ type: push }, { type: json, url: http://192.0.2.9/, fields: { cpu: a } }]",
    );
    expect(edge.load.map(({ type, staleAfterMs }) => [type, staleAfterMs])).toEqual([
      ["push", 9000],
      ["json", 9000],
    ]);
  });

  it("with a path give way to an edge's url", async () => {
    const edge = await edgeOf(
      "{ probe: { type: http, path: /health, port: 81 } }",
      "probe: { url: http://a.test/b }",
    );
    expect(edge.probe).toMatchObject({ type: "http", url: "http://a.test/b", host: "a.test" });
  });

  it("are told once, where they stand, when they are wrong for every edge", async () => {
    const result = await loadText(
      `${head}defaults: { probe: { type: tcp } }\nedges: { a: { ${place} }, b: { ${place} } }\n`,
    );
    const told = result.kind === "problems" ? result.problems.map(({ line, path }) => [line, path]) : [];
    expect(told).toEqual([[2, "edges.a.probe.port"]]);
  });
});

describe("a probe's target", () => {
  it.each([
    [
      "url: http://192.0.2.1:8081/cdn, probe: { type: http, path: /health?a=b }",
      "http://192.0.2.1:8081/cdn/health?a=b",
      "192.0.2.1:8081",
    ],
    [
      "url: https://a.test, probe: { type: http, path: /, port: 8443 }",
      "https://a.test:8443/",
      "a.test:8443",
    ],
    ["url: https://a.test, probe: { type: http, host: b.test }", "https://a.test/", "b.test"],
    ["probe: { type: http, path: /health, port: 81 }", "http://192.0.2.1:81/health", "192.0.2.1:81"],
  ])("%s", async (edge, url, host) => {
    expect((await edgeOf("{}", edge)).probe).toMatchObject({ url, host });
  });

  it("may be a forbidden one where the operator allows its network", async () => {
    const inventory = await inventoryOf(`${head}probing: { allowedNetworks: [169.254.0.0/16] }
edges: { a: { location: { latitude: 1, longitude: 2 }, addresses: [169.254.1.1], probe: { type: tcp, port: 80 } } }
`);
    expect(inventory.edges[0]?.probe.type).toBe("tcp");
    expect(inventory.allowedProbeNetworks).toHaveLength(1);
  });
});

describe("an edge", () => {
  it("takes codes and classes as status, in ascending order", async () => {
    const { probe } = await edgeOf("{}", "probe: { type: http, status: [404, 204, 404] }");
    expect(probe.type === "http" && probe.status).toEqual([204, 404]);
    const single = await edgeOf("{}", "probe: { type: http, status: 3xx }");
    expect(single.probe.type === "http" && single.probe.status).toHaveLength(100);
  });

  it("reads JSON fields with path and factor, and keeps secrets from the environment", async () => {
    const edge = await edgeOf(
      "{}",
      'load: { type: json, url: "http://192.0.2.1/", username: u, password: "${PASSWORD}", fields: { viewers: connections.active, bandwidth: { path: "net[0].out", factor: 8 } } }',
      { PASSWORD: "12345678" },
    );
    expect(edge.load).toEqual([
      {
        type: "json",
        staleAfterMs: 30_000,
        url: "http://192.0.2.1/",
        intervalMs: 5000,
        timeoutMs: 2000,
        username: "u",
        password: "12345678",
        fields: {
          viewers: { path: ["connections", "active"], factor: 1 },
          bandwidth: { path: ["net", 0, "out"], factor: 8 },
        },
      },
    ]);
  });

  it("takes numbers and truth from the environment, also in block style", async () => {
    const inventory = await inventoryOf(
      `${head}edges:\n  ams1:\n    ${place.replace(", addresses", "\n    addresses")}
    weight: \${WEIGHT}
    capacity:
      viewers: \${VIEWERS:-700}
    url: https://a.test/
    probe: { type: http, tls: { verify: "\${VERIFY}" } }
`,
      { WEIGHT: "2.5", VERIFY: "false" },
    );
    expect(inventory.edges[0]).toMatchObject({
      weight: 2.5,
      capacity: { viewers: 700 },
      url: "https://a.test",
      probe: { tls: { verify: false } },
    });
  });

  it("may share its addresses with another", async () => {
    const { edges } = await inventoryOf(`${head}edges: { a: { ${place} }, b: { ${place} } }\n`);
    expect(edges.map(({ addresses }) => addresses.map(formatAddress))).toEqual([
      ["192.0.2.1"],
      ["192.0.2.1"],
    ]);
  });

  it("keeps the file's order even if its id looks like a number", async () => {
    const { edges } = await inventoryOf(
      `${head}edges: { b: { ${place} }, 10: { ${place} }, 2: { ${place} } }\n`,
    );
    expect(edges.map(({ id, index }) => [id, index])).toEqual([
      ["b", 0],
      ["10", 1],
      ["2", 2],
    ]);
  });
});

describe("a service", () => {
  const edges = `edges: { a: { ${place}, tags: [x] }, b: { ${place}, tags: [y] }, c: { ${place}, tags: [x, y] } }\n`;

  it.each([
    ["", [0, 1, 2]],
    ["edges: { tags: [x] }", [0, 2]],
    ["edges: { tags: [y, x] }", [0, 1, 2]],
    ["edges: { ids: [c, a] }", [2, 0]],
    ["edges: { ids: [c], tags: [x] }", [2, 0]],
  ])("with %s has edges %j", async (choice, indices) => {
    const text = `${headWithZone}${edges}services: { s: { hostnames: [Live.Example.Net.], ${choice} } }\n`;
    const [service] = (await inventoryOf(text)).services;
    expect(service?.edges).toEqual(indices);
    expect(service?.hostnames).toEqual(["live.example.net"]);
  });

  it("may stand at the top of a zone, and in a zone inside a zone", async () => {
    const zone = "{ nameservers: [ns.example.org], contact: a@example.org";
    const inventory = await inventoryOf(`${head}${edges}zones:
  example.net: ${zone}, records: [{ name: "@", type: TXT, data: x }] }
  cdn.example.net: ${zone} }
services: { s: { hostnames: [example.net, a.cdn.example.net, "*.cdn.example.net"] } }
`);
    expect(inventory.services[0]?.hostnames).toHaveLength(3);
  });
});

describe("the rest", () => {
  it("writes a zone's contact as a name can have it", async () => {
    const zones =
      "zones: { example.net: { nameservers: [ns.example.org], contact: Host.Master@Example.NET. } }";
    const { zones: built } = await inventoryOf(`${head}${zones}\n`);
    expect(built[0]?.contact).toBe("Host.Master@example.net");
  });

  it("finds edges in edges.d, behind those of the main file, in order of file names", async () => {
    const inventory = await inventoryOf(
      `${head}defaults: { weight: 4 }\nedges: { m: { ${place} } }\n`,
      {},
      {
        "edges.d/20.yaml": `edges: { a: { ${place} } }`,
        "edges.d/10.yml": `edges: { z: { ${place} } }`,
        "edges.d/30.yaml": "# none yet\n",
        "edges.d/notes.txt": "not read",
        "edges.d/.hidden.yaml": "not read: [",
      },
    );
    expect(inventory.edges.map(({ id, weight }) => [id, weight])).toEqual([
      ["m", 4],
      ["z", 4],
      ["a", 4],
    ]);
  });

  it("makes paths absolute, from the folder of the main file", async () => {
    const inventory = await inventoryOf(
      `${head}stateFile: var/state.json\ngeoip: { city: [a.mmdb, /b.mmdb] }\n`,
    );
    const folder = dirname(inventory.file);
    expect(inventory.stateFile).toBe(join(folder, "var/state.json"));
    expect(inventory.geoip.city).toEqual([join(folder, "a.mmdb"), "/b.mmdb"]);
  });

  it("keeps state where the service manager says", async () => {
    const inventory = await inventoryOf(head, { STATE_DIRECTORY: "/var/lib/edgeward:/other" });
    expect(inventory.stateFile).toBe("/var/lib/edgeward/edgeward.state.json");
  });

  it("keeps the state of two configurations in one folder apart", async () => {
    const folder = await folderWith({ "eu.yaml": head, "us.prod.yml": head, edgeward: head });
    const stateFileOf = async (name: string) => {
      const loaded = await loadConfig(join(folder, name), options);
      return loaded.kind === "ok" ? loaded.inventory.stateFile : loaded.problems;
    };
    expect(await stateFileOf("eu.yaml")).toBe(join(folder, "eu.state.json"));
    expect(await stateFileOf("us.prod.yml")).toBe(join(folder, "us.prod.state.json"));
    expect(await stateFileOf("edgeward")).toBe(join(folder, "edgeward.state.json"));
  });

  it("takes tokens, their digests in lower case", async () => {
    const digest = "AB".repeat(32);
    const inventory = await inventoryOf(
      `listen: { http: ["127.0.0.1:8080"], ops: "0.0.0.0:9153" }
ops: { tokens: [{ name: n, role: reporter, edge: a, sha256: "\${DIGEST}" }] }
edges: { a: { ${place} } }
`,
      { DIGEST: digest },
    );
    expect(inventory.ops.tokens).toEqual([
      { name: "n", role: "reporter", edge: "a", sha256: digest.toLowerCase() },
    ]);
  });

  it("lets an alias stand for a whole value, and an empty key for none", async () => {
    const inventory = await inventoryOf(`${head}places:
edges:
  a: { location: &here { latitude: 1, longitude: 2 }, addresses: [192.0.2.1], probe: }
  b: { location: *here, addresses: [192.0.2.2] }
`);
    expect(inventory.edges[1]?.location).toEqual({ latitude: 1, longitude: 2 });
  });

  it("says where an alias's value is wrong: at the value", async () => {
    const result = await loadText(`${head}edges:
  a: { location: &here { latitude: 91, longitude: 2 }, addresses: [192.0.2.1] }
  b: { location: *here, addresses: [192.0.2.2] }
`);
    const told = result.kind === "problems" ? result.problems.map(formatProblem) : [];
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/:3:36: edges\.a\.location\.latitude: 91 is not/);
  });

  it("finds the same problems in flow and in block style, with line endings of any kind", async () => {
    const flow = `${headWithZone}services: { live: { hostnames: [a b], rnak: x } }\n`;
    const block = `${headWithZone}services:\n  live:\n    hostnames:\n      - a b\n    rnak: x\n`;
    const told = async (text: string) => {
      const result = await loadText(text);
      if (result.kind === "ok") return [];
      return result.problems.map(({ path, message }) => `${path}: ${message}`);
    };
    const problems = await told(block);
    expect(problems).toEqual([
      expect.stringContaining("services.live.hostnames.0: "),
      expect.stringContaining("services.live.rnak: "),
    ]);
    expect(await told(flow)).toEqual(problems);
    expect(await told(block.replaceAll("\n", "\r\n"))).toEqual(problems);
  });
});

describe("bindings of a service", () => {
  const dnsOf = async (dns: string) => {
    const service = `services: { live: { hostnames: [live.example.net], dns: ${dns} } }`;
    const [only] = (await inventoryOf(`${headWithZone}edges: { ams1: { ${place} } }\n${service}\n`)).services;
    return only?.dns;
  };
  const alpn = { key: 1, value: Uint8Array.of(2, 0x68, 0x32, 2, 0x68, 0x33) };

  it("are none unless asked for", async () => {
    expect(await dnsOf("{}")).toEqual({
      ttlSeconds: 20,
      ttlInDoubtSeconds: 5,
      answers: 2,
      answersWithin: { km: 500, share: 0.2 },
    });
  });

  it("have what is made of client subnets beside them", async () => {
    expect((await dnsOf("{ clientSubnet: { enabled: false } }"))?.clientSubnet).toEqual({
      isEnabled: false,
      scope: { 4: { min: 0, max: 32 }, 6: { min: 0, max: 128 } },
    });
    expect((await dnsOf("{ clientSubnet: { minimum4: 8, maximum6: 48 } }"))?.clientSubnet).toEqual({
      isEnabled: true,
      scope: { 4: { min: 8, max: 32 }, 6: { min: 0, max: 48 } },
    });
  });

  it("hold params in ascending order of keys, and names of other ports without the port", async () => {
    const https = "{ port: 8443, alpn: [h2, h3], mandatory: [port, alpn], originPorts: [444], hints: false }";
    expect((await dnsOf(`{ https: ${https} }`))?.bindings).toEqual([
      {
        type: "HTTPS",
        prefix: "",
        hints: false,
        params: [{ key: 0, value: Uint8Array.of(0, 1) }, alpn, { key: 3, value: Uint8Array.of(0x20, 0xfb) }],
      },
      {
        type: "HTTPS",
        prefix: "_444._https",
        hints: false,
        params: [{ key: 0, value: Uint8Array.of(0, 1) }, alpn],
      },
    ]);
  });

  it("list as mandatory what is not always so for HTTPS (RFC 9460 8)", async () => {
    const params = async (mandatory: string) =>
      (await dnsOf(`{ https: { port: 8443, alpn: [h2, h3], noDefaultAlpn: true, mandatory: ${mandatory} } }`))
        ?.bindings?.[0]?.params;
    const unlisted = [
      alpn,
      { key: 2, value: new Uint8Array() },
      { key: 3, value: Uint8Array.of(0x20, 0xfb) },
    ];
    expect(await params("[port, no-default-alpn]")).toEqual(unlisted);
    expect(await params("[no-default-alpn, alpn]")).toEqual([
      { key: 0, value: Uint8Array.of(0, 1) },
      ...unlisted,
    ]);
  });

  it("are SVCB by scheme", async () => {
    expect((await dnsOf('{ svcb: { _DNS: { ech: "ZWNo", alpn: [h2, h3] } } }'))?.bindings).toEqual([
      {
        type: "SVCB",
        prefix: "_dns",
        hints: true,
        params: [alpn, { key: 5, value: Uint8Array.from(Buffer.from("ech")) }],
      },
    ]);
  });
});
