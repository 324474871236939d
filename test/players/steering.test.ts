/**
 * Real players that ask edgeward every few seconds where to play from. Each story prints what each player does, for
 * docs/players.md.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { waitFor } from "../scenarios/wait.ts";
import { disperse, expectAllPlay, expectNoStall, gather, type Member, tell, type Way } from "./crowd.ts";
import { type Lab, startLab } from "./lab.ts";
import { canPlay } from "./viewer.ts";

/** Every edge is named. */
const NAMED: readonly Way[] = [
  { name: "hls.js", kind: "hls", path: "/named/named.m3u8" },
  { name: "dash.js", kind: "dash", path: "/named/manifest.mpd" },
  { name: "Shaka, HLS", kind: "shaka", path: "/named/named.m3u8" },
  { name: "Shaka, DASH", kind: "shaka", path: "/named/manifest.mpd" },
];
/** dash.js asks for no further MPD once four requests in two seconds have failed, unless it is told to go on. */
const PATIENT: readonly Way[] = NAMED.map((way) =>
  way.kind === "dash" ? { ...way, settings: { retryAttempts: { MPD: 60 } } } : way,
);
/**
 * Amsterdam is named, and every other edge is a clone of it; the others of these players want what docs/players.md
 * says.
 */
const CLONED: readonly Way[] = [{ name: "hls.js, clones", kind: "hls", path: "/cloned/cloned.m3u8" }];
const CLONED_HOST = "cloned.cdn.example.net";

describe.skipIf(!process.env["CI"] && !canPlay)("players that are steered", () => {
  let lab: Lab;
  let crowd: Member[] = [];
  beforeAll(async () => {
    const cloned = { hostnames: [CLONED_HOST], steering: { ttl: "5s", pathways: ["ams1"] } };
    lab = await startLab({ services: { cloned } });
    await lab.tag("live", "named");
    await lab.tag("cloned", "cloned", CLONED_HOST);
  }, 120_000);
  afterAll(async () => await lab?.stop(), 60_000);
  afterEach(async () => {
    await disperse(crowd);
    crowd = [];
    await lab.service.ops("PUT", "/v1/edges/ams1/state", { state: "active", reason: "the next story" });
    await lab.mend();
  }, 60_000);

  it("play from the nearest edge, and ask again and again", async () => {
    crowd = await gather(lab, NAMED);
    for (const member of crowd) {
      await waitFor(() => steeringCalls(member).length >= 2, 30_000, `${member.name} to ask again`);
      for (const { status } of steeringCalls(member)) expect(status, member.name).toBe(200);
      expect(member.edge(), member.name).toBe("ams1");
      const [first, second] = steeringCalls(member);
      tell("steering", member, `asks after ${seconds((second?.atMs ?? 0) - (first?.atMs ?? 0))}`);
    }
  }, 120_000);

  it.each([
    ["that the playlist names", NAMED],
    ["that is a clone", CLONED],
  ])(
    "move without a stall to an edge %s when theirs drains",
    async (_name, ways) => {
      crowd = await gather(lab, ways);
      await expectAllPlay(crowd);
      const drain = { state: "drain", reason: "maintenance" };
      expect((await lab.service.ops("PUT", "/v1/edges/ams1/state", drain)).status).toBeLessThan(300);
      const drainedMs = performance.now();
      await Promise.all(crowd.map((member) => member.mark()));
      for (const member of crowd) {
        await waitFor(() => member.edge() === "fra1", 40_000, `${member.name} to move`);
        tell(
          "drain, steered",
          member,
          `on the next edge after ${seconds(firstFrom(lab, member, "fra1") - drainedMs)}`,
        );
      }
      await expectAllPlay(crowd);
      for (const member of crowd) await expectNoStall(member);
    },
    180_000,
  );

  it("go on from another edge when theirs dies, and ask the redirector for their MPD again", async () => {
    crowd = await gather(lab, NAMED);
    await expectAllPlay(crowd);
    await lab.edges.ams1.kill();
    const diedMs = performance.now();
    for (const member of crowd) {
      await waitFor(() => firstFrom(lab, member, "fra1", "nyc1") > diedMs, 60_000, `${member.name} to move`);
      const tookMs = firstFrom(lab, member, "fra1", "nyc1") - diedMs;
      tell("edge dies, steered", member, `on ${member.edge() ?? "?"} after ${seconds(tookMs)}`);
    }
    await expectAllPlay(crowd);
  }, 240_000);

  it("play on while the redirector restarts, and are steered again after", async () => {
    crowd = await gather(lab, PATIENT);
    for (const member of crowd) await waitFor(() => steeringCalls(member).length > 0, 30_000, member.name);
    await expectAllPlay(crowd);
    await Promise.all(crowd.map((member) => member.mark()));
    const goneMs = performance.now();
    await lab.restartService();
    const backMs = performance.now();
    process.stdout.write(`restart | edgeward | away for ${seconds(backMs - goneMs)}\n`);
    await expectAllPlay(crowd);
    for (const member of crowd) {
      tell("restart", member, `stood for ${seconds((await member.look()).longestStallMs)}`);
      // It stands where we are away for longer than it has in its buffer: its MPD comes by way of us.
      if (member.name !== "dash.js") await expectNoStall(member);
      const next = () => steeringCalls(member).find(({ atMs, status }) => atMs > backMs && status === 200);
      await waitFor(() => next() !== undefined, 60_000, `${member.name} to ask again`);
      tell("restart", member, `asks again ${seconds((next()?.atMs ?? 0) - backMs)} after we are back`);
    }
    const drain = { state: "drain", reason: "maintenance" };
    expect((await lab.service.ops("PUT", "/v1/edges/ams1/state", drain)).status).toBeLessThan(300);
    for (const member of crowd)
      await waitFor(() => member.edge() === "fra1", 40_000, `${member.name} to move`);
  }, 240_000);
});

function steeringCalls({ requests }: Member): Member["requests"] {
  return requests.filter(({ url }) => url.pathname.startsWith("/.edgeward/steering"));
}

/** When the last segments from one of these edges began to come; 0 if none did. */
function firstFrom(lab: Lab, { requests }: Member, ...ids: readonly string[]): number {
  const from = requests.find(
    ({ url, status }) =>
      status === 200 && url.pathname.endsWith(".m4s") && ids.includes(lab.edgeAt(url.hostname) ?? ""),
  );
  return from?.atMs ?? 0;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
