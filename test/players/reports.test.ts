/** Real players that report how fast they are: with steering calls, and by events of CMCD version 2. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { waitFor } from "../scenarios/harness.ts";
import { disperse, gather, type Member, tell, type Way } from "./crowd.ts";
import { type Lab, startLab } from "./lab.ts";
import { canPlay } from "./viewer.ts";

const HOST = "heard.cdn.example.net";

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

  it.each<[string, (target: object) => Way]>([
    [
      "hls.js",
      (target) => ({
        name: "hls.js",
        kind: "hls",
        path: "/heard/heard.m3u8",
        settings: { cmcd: { version: 2, eventTargets: [target] } },
      }),
    ],
    [
      "dash.js",
      (target) => ({
        name: "dash.js",
        kind: "dash",
        path: "/heard/manifest.mpd",
        settings: { cmcd: { enabled: true, version: 2, eventTargets: [{ enabled: true, ...target }] } },
      }),
    ],
    [
      "Shaka",
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
    "%s tells its throughput by both",
    async (_name, wayTo) => {
      const before = { steering: await taken("steering"), cmcd: await taken("cmcd") };
      crowd = await gather(lab, [wayTo(target())]);
      for (const source of ["cmcd", "steering"] as const) {
        await waitFor(async () => (await taken(source)) > before[source], 40_000, `a report by ${source}`);
        tell("reports", crowd[0] as Member, `heard by ${source}`);
      }
      expect(crowd[0]?.edge()).toBe("ams1");
    },
    120_000,
  );
});
