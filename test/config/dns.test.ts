import { expect, it } from "vitest";
import { parsePrefix } from "../../src/base/address.ts";
import { inventoryOf } from "./support.ts";

const head = `listen: { http: ["127.0.0.1:8080"] }\n`;
const tcp = { connections: 1000, connectionsPerNetwork: 400, idleMs: 15_000 };

it("refuses HTTPS and SVCB whose params no message has room for", async () => {
  const zone = `zones: { example.net: { nameservers: [ns.example.org], contact: a@example.net } }\n`;
  const edge = `edges: { a: { location: { latitude: 1, longitude: 2 }, addresses: [192.0.2.1] } }\n`;
  const service = (octets: number): string => {
    const ech = Buffer.alloc(octets).toString("base64");
    return `${head}${zone}${edge}services: { live: { hostnames: [a.example.net], dns: { svcb: { _dns: { ech: "${ech}" } } } } }\n`;
  };
  expect((await inventoryOf(service(32_768))).services).toHaveLength(1);
  await expect(inventoryOf(service(32_769))).rejects.toThrow(
    "services.live.dns.svcb._dns: is too long; it may have 32768 octets, and addresses beside them",
  );
});

it("takes secrets of cookies, whatever the case of their digits", async () => {
  const secrets = `cookieSecrets: ["\${SECRET}", 00112233445566778899aabbccddeefe]`;
  const variables = { SECRET: "E5E973E5A6B2A43F48E7DC849E37BFCF" };
  const { dns } = await inventoryOf(`${head}dns: { ${secrets} }\n`, variables);
  expect(dns.cookieSecrets?.map((secret) => Buffer.from(secret).toString("hex"))).toEqual([
    "e5e973e5a6b2a43f48e7dc849e37bfcf",
    "00112233445566778899aabbccddeefe",
  ]);
});

it("limits no responses unless it is asked to", async () => {
  expect((await inventoryOf(head)).dns).toEqual({ tcp });
});

it("limits responses by the usual networks, window and slip", async () => {
  const { dns } = await inventoryOf(`${head}dns: { rateLimit: { responsesPerSecond: 200 } }\n`);
  expect(dns.rateLimit).toEqual({
    responsesPerSecond: 200,
    windowSeconds: 15,
    slip: 2,
    exempt: [],
    ipv4PrefixLength: 24,
    ipv6PrefixLength: 56,
  });
});

it("takes every key of a limit, and of TCP", async () => {
  const limit = `responsesPerSecond: 0.5, window: 1m, slip: 0, exempt: [192.0.2.0/24], ipv4PrefixLength: 32, ipv6PrefixLength: 48`;
  const limits = `connections: 50, connectionsPerNetwork: 5, idleTimeout: 1m`;
  const { dns } = await inventoryOf(`${head}dns: { rateLimit: { ${limit} }, tcp: { ${limits} } }\n`);
  expect(dns).toEqual({
    tcp: { connections: 50, connectionsPerNetwork: 5, idleMs: 60_000 },
    rateLimit: {
      responsesPerSecond: 0.5,
      windowSeconds: 60,
      slip: 0,
      exempt: [parsePrefix("192.0.2.0/24")],
      ipv4PrefixLength: 32,
      ipv6PrefixLength: 48,
    },
  });
});
