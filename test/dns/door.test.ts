import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type DnsDoor, type DnsDoorOptions, startDnsDoor } from "../../src/dns/door.ts";
import { listenError } from "../../src/dns/listen.ts";
import type { MetricFamily } from "../../src/model/metrics.ts";
import { data, RCODES } from "./answers.ts";
import { decide, SERVICES, serviceOf, ZONE, ZONES } from "./fixture.ts";
import { query, TYPES } from "./packets.ts";
import { firstDatagram, QUIET, startHarness, TCP6, UDP4 } from "../rfc/harness.ts";
import { decode } from "./answers.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function door(options: Partial<DnsDoorOptions>): Promise<DnsDoor> {
  const started = await startDnsDoor({
    endpoints: [],
    served: { zones: ZONES, services: SERVICES },
    decide,
    log: QUIET,
    ...options,
  });
  stops.push(() => started.stop());
  return started;
}

async function harness() {
  const started = await startHarness();
  stops.push(() => started.stop());
  return started;
}

describe("the DNS door", () => {
  it("has UDP and TCP on one port of the system's choice", async () => {
    const { door } = await harness();
    const ports = door.endpoints.map(({ port }) => port);
    expect(ports.every((port) => port > 0)).toBe(true);
    expect(door.endpoints.map(({ host }) => host)).toEqual(["127.0.0.1", "::1"]);
  });

  it("says in one line which address is taken, over UDP and over TCP", async () => {
    const { endpoints } = await door({ endpoints: [{ host: "127.0.0.1", port: 0 }] });
    await expect(door({ endpoints })).rejects.toThrow(
      `cannot listen for DNS on 127.0.0.1:${endpoints[0]?.port} (UDP): another program listens there (EADDRINUSE)`,
    );
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, "::1", () => resolve((server.address() as { port: number }).port));
    });
    await expect(door({ endpoints: [{ host: "::1", port }] })).rejects.toThrow(
      `cannot listen for DNS on [::1]:${port} (TCP): another program listens there (EADDRINUSE)`,
    );
    server.close();
  });

  it("says that the machine does not have the address", async () => {
    await expect(door({ endpoints: [{ host: "192.0.2.1", port: 0 }] })).rejects.toThrow(
      "cannot listen for DNS on 192.0.2.1:0 (UDP): this machine does not have the address (EADDRNOTAVAIL)",
    );
  });

  it("says what is missing for a low port", () => {
    const cause = Object.assign(new Error("bind EACCES"), { code: "EACCES" });
    expect(listenError({ host: "::", port: 53 }, "udp", cause).message).toBe(
      "cannot listen for DNS on [::]:53 (UDP): not permitted (EACCES); a port below 1024 needs the capability CAP_NET_BIND_SERVICE",
    );
  });

  it("opens nothing if one of its addresses fails", async () => {
    const free = await door({ endpoints: [{ host: "127.0.0.1", port: 0 }] });
    const [endpoint] = free.endpoints;
    await free.stop();
    stops.pop();
    const failing = [endpoint ?? { host: "127.0.0.1", port: 0 }, { host: "192.0.2.1", port: 0 }];
    await expect(door({ endpoints: failing })).rejects.toThrow("192.0.2.1");
    await expect(door({ endpoints: failing.slice(0, 1) })).resolves.toBeDefined();
  });

  it("takes other zones and services at once", async () => {
    const { door, ask } = await harness();
    const zones = ZONES.map((zone) => ({ ...zone, serial: 7 }));
    door.take({ zones, services: [serviceOf("live")] });
    expect(data(await ask(UDP4, { name: ZONE, type: TYPES.SOA }), "SOA")).toMatchObject([{ serial: 7 }]);
    expect((await ask(TCP6, { name: `full.${ZONE}` })).rcode).toBe(RCODES.NXDOMAIN);
  });

  it("keeps the old names if the new cannot be compiled", async () => {
    const { door, ask } = await harness();
    expect(() => door.take({ zones: [], services: [serviceOf("live")] })).toThrow("no zone holds");
    expect((await ask(UDP4, { name: `live.${ZONE}` })).rcode).toBe(RCODES.NOERROR);
  });

  it("frees its addresses when stopped, with connections open", async () => {
    const started = await startHarness();
    const { endpoints } = started.door;
    await started.stop();
    const socket = createSocket("udp4");
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(endpoints[0]?.port, "127.0.0.1", resolve);
    });
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  });

  it("answers from the address that was asked", async () => {
    const started = await door({ endpoints: [{ host: "127.0.0.53", port: 0 }] });
    const port = started.endpoints[0]?.port ?? 0;
    const octets = await firstDatagram("127.0.0.53", port, [query({ name: ZONE, type: TYPES.SOA })]);
    expect(decode(octets).counts[1]).toBe(1);
  });
});

describe("what the DNS door counts", () => {
  it("queries, replies, drops and durations, by labels of a fixed vocabulary", async () => {
    const { door, ask, send } = await harness();
    await ask(TCP6, { name: `live.${ZONE}`, type: TYPES.AAAA });
    await ask(UDP4, { name: `live.${ZONE}`, type: 65_280 });
    await ask(UDP4, { name: `nowhere.${ZONE}` });
    await ask(UDP4, { name: ZONE, edns: { version: 1 } });
    await send(UDP4, query({ name: ZONE, flags: 0x8000 }));
    await send(UDP4, Buffer.alloc(3));
    const metrics = door.metrics();
    expect(sample(metrics, "dns_requests_total", { proto: "tcp", family: "ipv6", type: "AAAA" })).toBe(1);
    expect(sample(metrics, "dns_requests_total", { proto: "udp", family: "ipv4", type: "other" })).toBe(1);
    expect(sample(metrics, "dns_responses_total", { rcode: "NXDOMAIN" })).toBe(1);
    expect(sample(metrics, "dns_responses_total", { rcode: "BADVERS" })).toBe(1);
    expect(sample(metrics, "dns_dropped_total", { reason: "response" })).toBe(1);
    expect(sample(metrics, "dns_dropped_total", { reason: "short" })).toBe(1);
    const replies = metrics.find(({ name }) => name === "dns_responses_total");
    const total =
      replies?.kind === "counter" ? replies.samples.reduce((sum, { value }) => sum + value, 0) : 0;
    const durations = metrics.find(({ kind }) => kind === "histogram");
    const counts = durations?.kind === "histogram" ? durations.samples[0]?.counts : undefined;
    expect(counts?.reduce((sum, count) => sum + count, 0)).toBe(total);
    expect(total).toBeGreaterThanOrEqual(4);
  });
});

function sample(families: readonly MetricFamily[], name: string, labels: object): number | undefined {
  const family = families.find((one) => one.name === name);
  if (family === undefined || family.kind === "histogram") return undefined;
  return family.samples.find((one) => JSON.stringify(one.labels) === JSON.stringify(labels))?.value;
}
