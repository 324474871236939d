/**
 * Real players that were redirected once, and nothing else: no steering. Each story prints what each player does,
 * for docs/players.md.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { LIVE } from "../scenarios/reference.ts";
import { sleep, waitFor } from "../scenarios/wait.ts";
import { disperse, gather, type Member, tell, untilIt, type Way } from "./crowd.ts";
import { type Lab, startLab } from "./lab.ts";
import { canRun, runNamed } from "./program.ts";
import { canPlay } from "./viewer.ts";

const TOKEN = "?token=a%2Fb&x=%C3%A4";
const WAYS: readonly Way[] = [
  { name: "hls.js", kind: "hls", path: `/live/master.m3u8${TOKEN}` },
  { name: "dash.js", kind: "dash", path: `/live/manifest.mpd${TOKEN}` },
  { name: "Shaka, HLS", kind: "shaka", path: `/live/master.m3u8${TOKEN}` },
  { name: "Shaka, DASH", kind: "shaka", path: `/live/manifest.mpd${TOKEN}` },
];

describe.skipIf(!process.env["CI"] && !canPlay)("players that were redirected", () => {
  let lab: Lab;
  let crowd: Member[] = [];
  beforeAll(async () => {
    lab = await startLab();
  }, 120_000);
  afterAll(async () => await lab?.stop(), 60_000);
  afterEach(async () => {
    await disperse(crowd);
    crowd = [];
    await lab.mend();
    await waitFor(async () => (await first(lab)) === "ams1", 20_000, "ams1 to be up again");
  }, 60_000);

  it("play from the nearest edge, with path and query as they were", async () => {
    crowd = await gather(lab, WAYS);
    for (const member of crowd) {
      const [redirect, followed] = member.requests.filter(({ url }) => url.search === TOKEN);
      tell("first play", member, `first frame after ${(await firstFrame(member)) ?? "?"} ms`);
      expect(redirect?.status, member.name).toBe(302);
      expect(followed?.url.pathname, member.name).toBe(redirect?.url.pathname);
      expect(member.edge(), member.name).toBe("ams1");
    }
  }, 120_000);

  it("stay where they are when their edge dies, and who comes then finds another", async () => {
    crowd = await gather(lab, WAYS);
    await lab.edges.ams1.kill();
    const diedMs = performance.now();
    await sleep(PATIENCE_MS);
    for (const member of crowd) tell("edge dies", member, await fateOf(member, diedMs));
    const [newcomer] = await gather(lab, WAYS.slice(0, 1));
    crowd.push(newcomer as Member);
    expect(newcomer?.edge()).toBe("fra1");
  }, 180_000);

  it("are told when their edge answers 500, and come to another one when they begin again", async () => {
    crowd = await gather(lab, WAYS);
    await lab.edges.ams1.become("failing");
    const failedMs = performance.now();
    await waitFor(async () => (await first(lab)) === "fra1", 20_000, "the probe to see it");
    await sleep(Math.max(0, failedMs + PATIENCE_MS - performance.now()));
    for (const member of crowd) tell("edge answers 500", member, await fateOf(member, failedMs));
    await disperse(crowd);
    crowd = await gather(lab, WAYS);
    for (const member of crowd) expect(member.edge(), member.name).toBe("fra1");
  }, 180_000);

  it("cannot play from an edge without CORS, which the probe command says", async () => {
    await lab.edges.ams1.become("without-cors");
    for (const way of WAYS) {
      const viewer = await lab.viewers.play(way.kind, lab.url(way.path));
      const member: Member = { ...viewer, name: way.name, edge: () => lab.edgeAt(viewer.segmentHost()) };
      crowd.push(member);
      const errors: string[] = [];
      await untilIt(member, (look) => errors.push(...look.errors) > 0, "tells of an error");
      tell("edge without CORS", member, errors[0] ?? "");
      expect(member.edge(), way.name).toBeUndefined();
    }
    const { stdout } = await lab.service.cli("probe", "ams1");
    expect(stdout).toContain("Access-Control-Allow-Origin");
  }, 180_000);

  const programs = [
    ["curl", ["-sSL", "-A", "curl"], "/live/media_0.m3u8"],
    ["ffprobe", ["-v", "error", "-user_agent", "ffprobe"], "/live/chunk-stream0-"],
    ["cvlc", ["--intf", "dummy", "--no-video", "--no-audio", "--run-time", "4"], "/live/chunk-stream"],
  ] as const;
  for (const [program, options, path] of programs)
    it.skipIf(!process.env["CI"] && !canRun(program))(
      `${program} fetches from the nearest edge`,
      async () => {
        const url = lab.url(program === "curl" ? path : `/live/master.m3u8${TOKEN}`);
        const exit = program === "cvlc" ? ["vlc://quit"] : [];
        const names = { [LIVE]: lab.service.doors.http.host };
        await runNamed(lab.media, names, [program, ...options, url, ...exit]);
        const targets = lab.edges.ams1.served(program === "cvlc" ? "VLC" : program);
        expect(targets.some((target) => target.startsWith(path))).toBe(true);
      },
      60_000,
    );
});

/** How long a player is watched after its edge has failed. */
const PATIENCE_MS = 20_000;

/** Where a viewer who comes now is sent. */
async function first(lab: Lab): Promise<string | undefined> {
  const { headers } = await lab.service.get("/x.m3u8");
  return lab.edgeAt(new URL(String(headers["location"])).hostname);
}

async function firstFrame(member: Member): Promise<number | null> {
  return (await member.look()).firstFrameMs;
}

async function fateOf(member: Member, sinceMs: number): Promise<string> {
  const before = await member.look();
  await sleep(1000);
  const { timeSeconds } = await member.look();
  const moved = member.requests.find(
    ({ atMs, url, status }) => atMs > sinceMs && status === 200 && url.pathname.endsWith(".m4s"),
  );
  const plays = timeSeconds > before.timeSeconds + 0.3;
  const errors = [...new Set(before.errors.map((error) => error.replace(/^.*?: /, "")))].slice(0, 4);
  const where = moved === undefined ? "no further segment" : `segments from ${member.edge() ?? "?"}`;
  return `${plays ? "plays" : "stands"}, ${where}; stood ${before.longestStallMs} ms; ${errors.join(", ")}`;
}
