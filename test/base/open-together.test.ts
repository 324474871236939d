import { describe, expect, it } from "vitest";
import { openTogether } from "../../src/base/open-together.ts";
import { openSocketGroup } from "../../src/dns/socket.ts";
import { listenTogether } from "../../src/http-loop/sockets.ts";
import type { Libc } from "../../src/base/libc.ts";
import type { Endpoint } from "../../src/model/inventory.ts";
import { LIBC } from "../http/loop-door.ts";

const LOOPBACK: Endpoint = { host: "127.0.0.1", port: 0 };

const NO_SOCKET = -1;

type Opened = { readonly endpoint: Endpoint; readonly sockets: readonly { readonly fd: number }[] };
type Open = (libc: Libc, endpoint: Endpoint, count: number) => Opened;

const openUdp: Open = (libc, endpoint, count) => openSocketGroup(libc, endpoint, count, []);
const listen: Open = (libc, endpoint, count) =>
  listenTogether(libc, { scheme: "HTTP", endpoint, count, ipv6Only: false, inherited: [] });

describe.skipIf(LIBC.kind === "unavailable").each([
  { name: "UDP", open: openUdp },
  { name: "TCP", open: listen },
])("sockets for $name at one address", ({ open }) => {
  it("are as many as asked for, at the port that the system chose for the first", () => {
    if (LIBC.kind === "unavailable") return;
    const { libc } = LIBC;
    const { endpoint, sockets } = open(libc, LOOPBACK, 3);
    expect(endpoint.port).toBeGreaterThan(0);
    expect(new Set(sockets.map(({ fd }) => fd)).size).toBe(3);
    for (const { fd } of sockets) libc.close(fd);
  });

  it("are nobody else's at any moment: who comes while they are opened is refused", () => {
    if (LIBC.kind === "unavailable") return;
    const { libc } = LIBC;
    const refusals: string[] = [];
    const comeBetween = (at: Endpoint): void => {
      try {
        for (const { fd } of open(libc, at, 2).sockets) libc.close(fd);
        refusals.push("let in");
      } catch (error) {
        refusals.push((error as NodeJS.ErrnoException).code ?? String(error));
      }
    };
    const opened = openTogether<{ readonly fd: number }>(libc, {
      endpoint: LOOPBACK,
      count: 2,
      inherited: [],
      open(at, isShared) {
        if (!isShared) return open(libc, at, 1).sockets[0] as { fd: number };
        comeBetween(at);
        return { fd: NO_SOCKET };
      },
    });
    comeBetween(opened.endpoint);
    expect(refusals).toEqual(["EADDRINUSE", "EADDRINUSE"]);
    libc.close((opened.sockets[0] as { fd: number }).fd);
  });
});
