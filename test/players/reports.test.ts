/** Real players that report how fast they are: with steering calls, and by events of CMCD version 2. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { waitFor } from "../scenarios/wait.ts";
import { disperse, gather, type Member, tell, type Way } from "./crowd.ts";
import { type Lab, startLab } from "./lab.ts";
import { canPlay } from "./viewer.ts";

const HOST = "heard.cdn.example.net";
/** dash.js tells nothing but when unless it is told what. */
const KEYS = ["e", "ts", "v", "url", "mtp"];

describe.skipIf(!process.env["CI"] && !canPlay)("players that report", () => {
  let lab: Lab;
  let crowd: Member[] = [];
  beforeAll(async () => {
    const heard = { hostnames: [HOST], steering: { ttl: "5s" }, experience: {} };
    lab = await startLab({ services: { heard } });
    await lab.tag("heard", "heard", HOST);
  }, 120_000);
  afterAll(async () => await lab?.stop(), 60_000);
  afterEach(async () => {
    await disperse(crowd);
    crowd = [];
  }, 60_000);

  const taken = async (source: string): Promise<number> => {
    const samples = await lab.service.metrics();
    return samples.get(`edgeward_experience_reports_total{source="${source}",outcome="taken"}`) ?? 0;
  };
  const target = () => ({ url: lab.url("/.edgeward/cmcd").replace("live.", "heard."), events: ["rr"] });

  it.each<[string, sources: readonly string[], (target: object) => Way]>([
    [
      "hls.js",
      ["cmcd", "steering"],
      (target) => ({
        name: "hls.js",
        kind: "hls",
        path: "/heard/heard.m3u8",
        settings: { cmcd: { version: 2, eventTargets: [target] } },
      }),
    ],
    [
      "dash.js",
      ["cmcd", "steering"],
      (target) => ({
        name: "dash.js",
        kind: "dash",
        path: "/heard/manifest.mpd",
        settings: {
          cmcd: {
            enabled: true,
            version: 2,
            eventTargets: [{ enabled: true, enabledKeys: KEYS, ...target }],
          },
        },
      }),
    ],
    [
      // Its events say nothing of the throughput.
      "Shaka",
      ["steering"],
      (target) => ({
        name: "Shaka",
        kind: "shaka",
        path: "/heard/manifest.mpd",
        settings: {
          cmcd: { enabled: true, version: 2, eventTargets: [{ enabled: true, mode: "event", ...target }] },
        },
      }),
    ],
  ])(
    "%s tells its throughput by %s",
    async (_name, sources, wayTo) => {
      const before = new Map<string, number>();
      for (const source of sources) before.set(source, await taken(source));
      crowd = await gather(lab, [wayTo(target())]);
      for (const source of sources) {
        await waitFor(
          async () => (await taken(source)) > (before.get(source) ?? 0),
          40_000,
          () => {
            const posts = (crowd[0] as Member).requests.filter(({ url }) => url.pathname.includes("cmcd"));
            return `a report by ${source}; ${posts.length} posted, the last answered ${posts.at(-1)?.status}`;
          },
        );
        tell("reports", crowd[0] as Member, `heard by ${source}`);
      }
      expect(crowd[0]?.edge()).toBe("ams1");
    },
    120_000,
  );
});
