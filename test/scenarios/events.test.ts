import { afterAll, beforeAll, expect, it } from "vitest";
import { request } from "undici";
import {
  LIVE,
  LONDON,
  referenceConfig,
  type Service,
  startService,
  takeFolder,
  takeNetwork,
  TOKYO,
  waitFor,
} from "./harness.ts";

const network = takeNetwork();
const { folder, remove } = takeFolder();
let service: Service;

beforeAll(async () => {
  service = await startService({ config: await referenceConfig(network), folder });
});
afterAll(async () => {
  await service.stop();
  remove();
});

it("tells of decisions at every door to who watches", async () => {
  const { host, port } = service.doors.ops;
  const stream = await request(`http://${host}:${port}/v1/events`);
  let text = "";
  stream.body.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const told = (): { door: string }[] =>
    [...text.matchAll(/^event: decision\ndata: (.*)$/gm)].map(
      ([, data = ""]) => (JSON.parse(data) as { decision: { door: string } }).decision,
    );
  // Nobody knows from when on the threads know that somebody watches.
  const ask = [
    ["http", () => service.get("/live/x.m3u8", { from: LONDON })],
    ["steering", () => service.get("/.edgeward/steering", { from: LONDON })],
    ["dns", () => service.dns.ask(LIVE, { subnet: `${TOKYO}/32` })],
  ] as const;
  for (const [door, once] of ask)
    await waitFor(
      async () => {
        await once();
        return told().some((one) => one.door === door);
      },
      5000,
      `a decision for ${door}`,
    );
  expect(told()).toContainEqual({
    door: "http",
    service: "live",
    outcome: "edges",
    edges: ["ams1"],
    country: "GB",
    distanceKm: expect.closeTo(355, -1) as number,
  });
  expect(text).not.toContain(LONDON);
  stream.body.on("error", () => {}).destroy();
});
