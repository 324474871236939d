import { describe, expect, it } from "vitest";
import { inheritSockets } from "../../src/base/inherited-sockets.ts";

const at = (port: number, host = "127.0.0.1"): { host: string; port: number } => ({ host, port });

describe("inherited sockets", () => {
  it("are given once, for the same use at the same address", () => {
    const inherited = inheritSockets([
      { use: "udp", asked: at(53), fds: [4, 5] },
      { use: "tcp", asked: at(53), fds: [6] },
    ]);
    expect(inherited.take("udp", at(54))).toEqual([]);
    expect(inherited.take("udp", at(53, "::1"))).toEqual([]);
    expect(inherited.take("udp", at(53))).toEqual([4, 5]);
    expect(inherited.take("udp", at(53))).toEqual([]);
    expect(inherited.rest()).toEqual([6]);
    expect(inherited.take("tcp", at(53))).toEqual([]);
  });

  it("at ports that the system chose come in their order", () => {
    const inherited = inheritSockets([
      { use: "udp", asked: at(0), fds: [4] },
      { use: "udp", asked: at(0), fds: [5] },
    ]);
    expect([inherited.take("udp", at(0)), inherited.take("udp", at(0))]).toEqual([[4], [5]]);
    expect(inherited.rest()).toEqual([]);
  });
});
