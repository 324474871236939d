import { afterEach, describe, expect, it } from "vitest";
import { findServiceManager } from "../../src/base/notify.ts";
import { LIBC, type NotifySocket, openNotifySocket } from "./notify-socket.ts";

let socket: NotifySocket | undefined;
afterEach(() => {
  socket?.close();
  socket = undefined;
});

describe.skipIf(LIBC.kind === "unavailable")("a service manager", () => {
  it("is told each state in a datagram of its own", () => {
    socket = openNotifySocket();
    const manager = findServiceManager({ NOTIFY_SOCKET: socket.name });
    manager?.ready();
    manager?.replacedBy(4321);
    manager?.alive();
    manager?.stopping();
    expect(socket.received()).toEqual(["READY=1", "MAINPID=4321", "WATCHDOG=1", "STOPPING=1"]);
  });

  it("is told when a reload began, by its own clock", () => {
    socket = openNotifySocket();
    const before = process.hrtime.bigint() / 1000n;
    findServiceManager({ NOTIFY_SOCKET: socket.name })?.reloading();
    const [, atMicroseconds = "0"] =
      /^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(socket.received()[0] ?? "") ?? [];
    expect(BigInt(atMicroseconds)).toBeGreaterThanOrEqual(before);
    expect(BigInt(atMicroseconds)).toBeLessThanOrEqual(process.hrtime.bigint() / 1000n);
  });

  it("that does not listen is no reason to fail", () => {
    const manager = findServiceManager({ NOTIFY_SOCKET: "/nowhere/notify" });
    expect(() => manager?.ready()).not.toThrow();
  });

  it.each([
    [{ WATCHDOG_USEC: "30000000" }, 30_000],
    [{ WATCHDOG_USEC: "30000000", WATCHDOG_PID: String(process.pid) }, 30_000],
    [{ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "1" }, undefined],
    [{ WATCHDOG_USEC: "0" }, undefined],
    [{ WATCHDOG_USEC: "soon" }, undefined],
    [{}, undefined],
  ])("with %j wants to hear every %s ms", (environment, expected) => {
    const manager = findServiceManager({ NOTIFY_SOCKET: "/run/notify", ...environment });
    expect(manager?.watchdogMs).toBe(expected);
  });

  it.each([{}, { NOTIFY_SOCKET: "" }, { NOTIFY_SOCKET: "relative" }, { NOTIFY_SOCKET: "vsock:2:1" }])(
    "is none with %j",
    (environment) => expect(findServiceManager(environment)).toBeUndefined(),
  );
});
