import { describe, expect, it } from "vitest";
import { createConnections, type Connections, networkOf, type Seat } from "../../src/dns/connections.ts";

function seated(connections: Connections, closed: string[], name: string, network = name): Seat {
  const seat: Seat = { network, activeMs: 0, close: () => closed.push(name) };
  connections.join(seat);
  return seat;
}

describe("who is connected", () => {
  it("makes room by closing the longest idle of all", () => {
    const closed: string[] = [];
    const connections = createConnections({ connections: 2, connectionsPerNetwork: 2, idleMs: 1000 });
    const first = seated(connections, closed, "a");
    seated(connections, closed, "b");
    connections.touch(first, 5);
    seated(connections, closed, "c");
    expect(closed).toEqual(["b"]);
    expect(connections.size).toBe(2);
  });

  it("closes the network's own first when the network has its share", () => {
    const closed: string[] = [];
    const connections = createConnections({ connections: 10, connectionsPerNetwork: 2, idleMs: 1000 });
    seated(connections, closed, "other");
    for (const name of ["a1", "a2", "a3"]) seated(connections, closed, name, "a");
    expect(closed).toEqual(["a1"]);
  });

  it("closes as many as new limits ask for, when the next one comes", () => {
    const closed: string[] = [];
    const connections = createConnections({ connections: 9, connectionsPerNetwork: 9, idleMs: 1000 });
    for (const name of ["a", "b", "c", "d"]) seated(connections, closed, name);
    connections.take({ connections: 2, connectionsPerNetwork: 2, idleMs: 1000 });
    seated(connections, closed, "e");
    expect(closed).toEqual(["a", "b", "c"]);
  });

  it("counts an IPv4 /24 and an IPv6 /56 as one network", () => {
    const ipv6 = (octet: number) => Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, octet, 0, 0, 0, 0, 0, 0, 0, 1);
    expect(networkOf(Uint8Array.of(192, 0, 2, 1))).toBe(networkOf(Uint8Array.of(192, 0, 2, 254)));
    expect(networkOf(Uint8Array.of(192, 0, 2, 1))).not.toBe(networkOf(Uint8Array.of(192, 0, 3, 1)));
    expect(networkOf(ipv6(1))).toBe(networkOf(ipv6(255)));
  });

  it("forgets who left, and does not bring back who was closed", () => {
    const closed: string[] = [];
    const connections = createConnections({ connections: 10, connectionsPerNetwork: 1, idleMs: 1000 });
    const gone = seated(connections, closed, "a");
    connections.leave(gone);
    seated(connections, closed, "a");
    connections.touch(gone, 1);
    expect(closed).toEqual([]);
    expect(connections.size).toBe(1);
  });

  it("closes whoever has been idle for the limit, and only those", () => {
    const closed: string[] = [];
    const connections = createConnections({ connections: 10, connectionsPerNetwork: 10, idleMs: 1000 });
    const busy = seated(connections, closed, "busy");
    seated(connections, closed, "idle");
    connections.touch(busy, 600);
    connections.sweep(999);
    expect(closed).toEqual([]);
    connections.sweep(1000);
    expect(closed).toEqual(["idle"]);
    connections.sweep(1600);
    expect(closed).toEqual(["idle", "busy"]);
  });
});
