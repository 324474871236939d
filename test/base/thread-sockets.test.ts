import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { NOTHING_INHERITED } from "../../src/base/inherited-sockets.ts";
import type { Libc } from "../../src/base/libc.ts";
import { openBatchSockets } from "../../src/dns/batch-door.ts";
import { openStreamSockets } from "../../src/dns/stream-door.ts";
import { openSockets } from "../../src/http-loop/open-sockets.ts";
import type { Endpoint } from "../../src/model/inventory.ts";
import { LIBC } from "../http/loop-door.ts";

const ANY_PORT: Endpoint = { host: "127.0.0.1", port: 0 };
const NOT_OURS: Endpoint = { host: "192.0.2.1", port: 0 };

interface Opened {
  readonly endpoints: readonly Endpoint[];
  readonly close: () => void;
}

const openUdp = (libc: Libc, endpoints: readonly Endpoint[]): Opened => openBatchSockets(libc, endpoints, 3);
const openTcp = (libc: Libc, endpoints: readonly Endpoint[]): Opened => openStreamSockets(libc, endpoints);
const openHttp = (libc: Libc, endpoints: readonly Endpoint[]): Opened =>
  openSockets(libc, endpoints, 3, NOTHING_INHERITED);

const openDescriptors = (): string[] => readdirSync("/proc/self/fd");

describe.skipIf(LIBC.kind === "unavailable").each([
  { door: "DNS over UDP", open: openUdp },
  { door: "DNS over TCP", open: openTcp },
  { door: "HTTP", open: openHttp },
])("sockets for $door", ({ open }) => {
  const { libc } = LIBC as { readonly libc: Libc };

  it("are closed again, all of them", () => {
    const before = openDescriptors();
    const { endpoints, close } = open(libc, [ANY_PORT, ANY_PORT]);
    expect(endpoints.every(({ port }) => port > 0)).toBe(true);
    expect(openDescriptors().length).toBeGreaterThan(before.length + 2);
    close();
    expect(openDescriptors()).toEqual(before);
  });

  it("are not left open where one of several cannot be had", () => {
    const before = openDescriptors();
    expect(() => open(libc, [ANY_PORT, NOT_OURS])).toThrow("this machine does not have the address");
    expect(openDescriptors()).toEqual(before);
  });

  it("are not left open where there is no descriptor left to wake threads by", () => {
    const before = openDescriptors();
    const withoutEventfd: Libc = { ...libc, eventfd: () => -1 };
    expect(() => open(withoutEventfd, [ANY_PORT])).toThrow("no eventfd");
    expect(openDescriptors()).toEqual(before);
  });
});
