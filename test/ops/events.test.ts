import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { OpsEvent } from "../../src/ops/api.ts";
import type { EventLimits } from "../../src/ops/events.ts";
import { ask, type FakeDoor, openDoor, SECRETS, TOKENS } from "./fake.ts";

const LIMITS: EventLimits = { subscribers: 3, queuedOctets: 4096, heartbeatMs: 60_000 };

let door: FakeDoor;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await door.stop();
});

describe("events", () => {
  it("are told to every subscriber, as they come", async () => {
    door = await openDoor({ eventLimits: LIMITS });
    const [first, second] = [subscribe(), subscribe()];
    await until(() => first.text.includes("retry:") && second.text.includes("retry:"));
    door.api.emit(reload(1));
    door.api.emit({ kind: "reload", atMs: 2, verdict: { kind: "taken", changed: ["a\n\nevent: forged"] } });
    await until(() => eventsIn(first.text).length === 2 && eventsIn(second.text).length === 2);
    expect(first.text).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(first.text).toContain("content-type: text/event-stream\r\n");
    expect(first.text).toContain("cache-control: no-store\r\n");
    expect(eventsIn(first.text)).toEqual([
      ["reload", reload(1)],
      ["reload", { kind: "reload", atMs: 2, verdict: { kind: "taken", changed: ["a\n\nevent: forged"] } }],
    ]);
    expect(first.text).not.toMatch(/^event: forged/m);
  });

  it("are asked for only while somebody listens", async () => {
    door = await openDoor({ eventLimits: LIMITS });
    expect(door.api.listeners.size).toBe(0);
    const [first, second] = [subscribe(), subscribe()];
    await until(() => first.text !== "" && second.text !== "");
    expect(door.api.listeners.size).toBe(1);
    expect(sample("ops_event_subscribers")).toBe(2);
    first.socket.destroy();
    second.socket.destroy();
    await until(() => door.api.listeners.size === 0);
    expect(sample("ops_event_subscribers")).toBe(0);
  });

  it("have room for so many subscribers, and again when one has gone", async () => {
    door = await openDoor({ eventLimits: LIMITS });
    const three = [subscribe(), subscribe(), subscribe()];
    await until(() => three.every(({ text }) => text !== ""));
    const fourth = await ask(door, "/v1/events");
    expect(fourth).toMatchObject({
      status: 503,
      json: { type: "urn:edgeward:problem:too-many-subscribers" },
    });
    expect(fourth.headers["retry-after"]).toBe("10");
    three[0]?.socket.destroy();
    await until(() => sample("ops_event_subscribers") === 2);
    const again = subscribe();
    await until(() => again.text !== "");
    expect(again.text).toMatch(/^HTTP\/1.1 200/);
  });

  it("are lost to a subscriber that does not read, which is told how many; others lose none", async () => {
    door = await openDoor({ eventLimits: LIMITS });
    const [slow, quick] = [subscribe(), subscribe()];
    await until(() => slow.text !== "" && quick.text !== "");
    slow.socket.pause();
    let sent = 0;
    while (sample("ops_events_lost_total") < 5) {
      door.api.emit(reload(++sent, 100_000));
      await until(() => quick.text.includes(`"atMs":${sent},`) && quick.socket.readableLength === 0);
    }
    slow.socket.resume();
    await until(() => slow.text.includes(`"atMs":${sent - sample("ops_events_lost_total")},`));
    await pause(50);
    door.api.emit(reload(++sent));
    await until(() => slow.text.includes(`"atMs":${sent},`));
    const events = eventsIn(slow.text);
    const lost = events.find(([kind]) => kind === "lost")?.[1] as { count: number };
    expect(lost.count).toBe(sample("ops_events_lost_total"));
    expect(events.length - 1 + lost.count).toBe(sent);
  });

  it("come with comments that keep the connection, and a stalled subscriber is cut off", async () => {
    door = await openDoor({ eventLimits: { ...LIMITS, heartbeatMs: 50 } });
    const [stalled, alive] = [subscribe(), subscribe()];
    await until(() => stalled.text !== "" && alive.text !== "");
    stalled.socket.pause();
    while (sample("ops_event_subscribers") === 2) {
      door.api.emit(reload(0, 100_000));
      await pause(2);
    }
    const before = alive.text.length;
    await until(() => alive.text.slice(before).includes("\r\n: \n\n\r\n"));
    expect(alive.socket.closed).toBe(false);
  });

  it("end when the tokens change, and when the door stops", async () => {
    door = await openDoor({ eventLimits: LIMITS, tokens: TOKENS });
    const first = subscribe(SECRETS.viewer);
    await until(() => first.text !== "");
    door.take({ tokens: TOKENS.map((token) => ({ ...token })) });
    await pause(20);
    expect(first.ended).toBe(false);
    door.take({ tokens: TOKENS.slice(0, 2) });
    await until(() => first.ended);
    const second = subscribe(SECRETS.viewer);
    await until(() => second.text !== "");
    await door.stop();
    await until(() => second.ended);
    expect(door.api.listeners.size).toBe(0);
  });
});

interface Subscriber {
  readonly socket: Socket;
  text: string;
  ended: boolean;
}

function subscribe(token?: string): Subscriber {
  const socket = connect(door.endpoint.port, door.endpoint.host);
  const subscriber: Subscriber = { socket, text: "", ended: false };
  const authorization = token === undefined ? "" : `Authorization: Bearer ${token}\r\n`;
  socket.write(`GET /v1/events HTTP/1.1\r\nHost: localhost\r\n${authorization}\r\n`);
  socket.on("data", (chunk: Buffer) => (subscriber.text += chunk.toString()));
  socket.on("end", () => (subscriber.ended = true));
  socket.on("error", () => (subscriber.ended = true));
  sockets.push(socket);
  return subscriber;
}

function reload(atMs: number, padding = 0): OpsEvent {
  const changed = padding === 0 ? [] : ["x".repeat(padding)];
  return { kind: "reload", atMs, verdict: { kind: "taken", changed } };
}

/** Whole events; the framing of chunks is taken out first. */
function eventsIn(text: string): [string, unknown][] {
  const body = text.slice(text.indexOf("\r\n\r\n") + 4).replace(/(?:^|\r\n)[0-9a-f]+\r\n/g, "");
  const found = body.matchAll(/^event: (\w+)\ndata: (.*)\n\n/gm);
  return [...found].map(([, kind = "", data = ""]) => [kind, JSON.parse(data)]);
}

function sample(name: string): number {
  const family = door.metrics().find((family) => family.name === name);
  if (family === undefined || family.kind === "histogram") throw new Error(`no ${name}`);
  return family.samples[0]?.value ?? Number.NaN;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(5);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
