import { describe, expect, it } from "vitest";
import { createConnections, type Connections, type Seat } from "../../src/dns/connections.ts";

function seated(connections: Connections, closed: string[], name: string, client = name): Seat {
  const seat: Seat = { client, activeMs: 0, close: () => closed.push(name) };
  connections.join(seat);
  return seat;
}

describe("who is connected", () => {
  it("makes room by closing the longest idle of all", () => {
    const closed: string[] = [];
    const connections = createConnections({ total: 2, perClient: 2, idleMs: 1000 });
    const first = seated(connections, closed, "a");
    seated(connections, closed, "b");
    connections.touch(first, 5);
    seated(connections, closed, "c");
    expect(closed).toEqual(["b"]);
    expect(connections.size).toBe(2);
  });

  it("closes the client's own first when the client has its share", () => {
    const closed: string[] = [];
    const connections = createConnections({ total: 10, perClient: 2, idleMs: 1000 });
    seated(connections, closed, "other");
    for (const name of ["a1", "a2", "a3"]) seated(connections, closed, name, "a");
    expect(closed).toEqual(["a1"]);
  });

  it("forgets who left, and does not bring back who was closed", () => {
    const closed: string[] = [];
    const connections = createConnections({ total: 10, perClient: 1, idleMs: 1000 });
    const gone = seated(connections, closed, "a");
    connections.leave(gone);
    seated(connections, closed, "a");
    connections.touch(gone, 1);
    expect(closed).toEqual([]);
    expect(connections.size).toBe(1);
  });

  it("closes whoever has been idle for the limit, and only those", () => {
    const closed: string[] = [];
    const connections = createConnections({ total: 10, perClient: 10, idleMs: 1000 });
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
