import { describe, expect, it, onTestFinished } from "vitest";
import type { Clock } from "../../src/base/clock.ts";
import { createPuller, type Pulled } from "../../src/load/pull.ts";
import type { PolledLoad } from "../../src/load/source.ts";
import { fakeAntMedia } from "./fakes/ant-media.ts";
import { fakeFlashphoner } from "./fakes/flashphoner.ts";
import { fakeMistServer } from "./fakes/mistserver.ts";
import { fakeNimble } from "./fakes/nimble.ts";
import { fakeOvenMediaEngine } from "./fakes/ovenmediaengine.ts";
import { fakeSrs } from "./fakes/srs.ts";
import { fakeWowza } from "./fakes/wowza.ts";
import { source } from "./reading.ts";

/** Reads a source again and again, each reading five seconds after the last by our clock. */
function reader(polled: PolledLoad, secondsBetween = 5): () => Promise<Pulled> {
  const puller = createPuller(polled);
  onTestFinished(() => puller.close());
  let nowMs = 0;
  const clock: Clock = {
    monotonicMs: () => nowMs,
    wallMs: () => nowMs,
    after: (delayMs, act) => {
      const timer = setTimeout(act, delayMs);
      return () => clearTimeout(timer);
    },
  };
  return () => {
    nowMs += secondsBetween * 1000;
    return puller.pull({ reach: { allowed: [], own: [] }, clock, random: Math.random });
  };
}

const problemOf = (pulled: Pulled): string => (pulled.kind === "failed" ? pulled.problem : "none");
const reportOf = (pulled: Pulled) => (pulled.kind === "report" ? pulled.report : pulled.problem);

describe("MistServer", () => {
  it("is asked at its secret path, and its counter becomes a rate", async () => {
    const fake = await fakeMistServer("koekjes", 5_000_000);
    const read = reader(source("mistserver", fake.url, { passphrase: "koekjes" }));
    expect(reportOf(await read())).not.toHaveProperty("bandwidth");
    expect(reportOf(await read())).toMatchObject({ viewers: 410, bandwidth: 8_000_000 });
    expect(fake.asked).toEqual(["GET /koekjes.json", "GET /koekjes.json"]);
  });

  it("answers a wrong passphrase with its web interface, and that is told", async () => {
    const fake = await fakeMistServer("koekjes", 0);
    const pulled = await reader(source("mistserver", fake.url, { passphrase: "wrong-one" }))();
    expect(problemOf(pulled)).toMatch(/web interface: the passphrase is wrong, or .*switched off/);
  });

  it("may stand behind a path", async () => {
    const fake = await fakeMistServer("edge1/koekjes", 0);
    const pulled = await reader(source("mistserver", `${fake.url}/edge1/`, { passphrase: "koekjes" }))();
    expect(pulled.kind).toBe("report");
  });
});

describe("Nimble", () => {
  it("takes our salted hash, whatever the salt", async () => {
    const fake = await fakeNimble("s3cr3t-token");
    const read = reader(source("nimble", fake.url, { token: "s3cr3t-token" }));
    // About three hashes in ten have a + in them.
    for (let i = 0; i < 20; i++) expect(reportOf(await read())).toMatchObject({ viewers: 356 });
    expect(new Set(fake.asked.map((line) => /salt=(\d+)/.exec(line)?.[1])).size).toBeGreaterThan(20);
    expect(fake.asked.join()).not.toContain("s3cr3t");
  });

  it("refuses a wrong token, and that is told", async () => {
    const fake = await fakeNimble("s3cr3t-token");
    expect(problemOf(await reader(source("nimble", fake.url, { token: "other" }))())).toMatch(
      /403.*credentials/,
    );
  });
});

describe("Wowza", () => {
  const login = { username: "monitor", password: "s3cret-word" };

  it.each(["digest", "digest without qop", "basic"] as const)(
    "is shown credentials by %s",
    async (scheme) => {
      const fake = await fakeWowza({ scheme });
      const read = reader(source("wowza", `${fake.url}/connectioncounts?a=1&b="2"`, login));
      expect(reportOf(await read())).toMatchObject({ viewers: 96 });
      expect(reportOf(await read())).toMatchObject({ viewers: 96 });
      // The challenge is answered once, and remembered.
      expect(fake.asked.length).toBe(3);
    },
  );

  it("is shown them anew when its nonce is stale", async () => {
    const fake = await fakeWowza({ scheme: "digest", nonceUses: 2 });
    const read = reader(source("wowza", `${fake.url}/connectioncounts`, login));
    for (let i = 0; i < 5; i++) expect(reportOf(await read())).toMatchObject({ viewers: 96 });
    expect(fake.asked.length).toBe(8);
  });

  it("never sees a password that it has not asked for", async () => {
    const fake = await fakeWowza({ scheme: "digest" });
    const wrong = { username: "monitor", password: "wrong-word" };
    const pulled = await reader(source("wowza", `${fake.url}/connectioncounts`, wrong))();
    expect(problemOf(pulled)).toMatch(/401.*credentials/);
    expect(fake.asked.length).toBe(2);
  });

  it("tells more at its REST interface", async () => {
    const fake = await fakeWowza({ scheme: "digest" });
    const read = reader(source("wowza", `${fake.url}/v2`, { ...login, application: "live" }));
    const pulled = await read();
    expect(reportOf(pulled)).toMatchObject({
      viewers: 96,
      bandwidth: 289_004_000,
      cpu: expect.closeTo(0.29) as number,
    });
    expect(pulled.fields.find(({ field }) => field === "streams")?.problem).toMatch(/404/);
  });
});

describe("SRS", () => {
  it("is asked for every page of its streams, where they do not redirect", async () => {
    const fake = await fakeSrs({ streams: 2300 });
    const pulled = await reader(source("srs", fake.url))();
    const { streams } = reportOf(pulled) as { streams: string[] };
    expect(streams.length).toBe(2300);
    expect(fake.asked.slice(1)).toEqual(
      [0, 1000, 2000].map((start) => `GET /api/v1/streams/?start=${start}&count=1000`),
    );
  });

  it("keeps its old rate while it has not counted anew", async () => {
    const fake = await fakeSrs();
    const read = reader(source("srs", fake.url), 1);
    const bandwidths = [];
    for (let i = 0; i < 7; i++) bandwidths.push((reportOf(await read()) as { bandwidth?: number }).bandwidth);
    expect(bandwidths).toEqual([undefined, undefined, undefined, 8e6, 8e6, 8e6, 8e6]);
  });

  it("is shown user and password", async () => {
    const fake = await fakeSrs({ user: "api", password: "s3cret-word" });
    const login = { username: "api", password: "s3cret-word" };
    expect(reportOf(await reader(source("srs", fake.url, login))())).toMatchObject({ viewers: 420 });
    expect(problemOf(await reader(source("srs", fake.url))())).toMatch(/401/);
  });
});

describe("Ant Media", () => {
  it("is shown its token, and asked for every page of an application", async () => {
    const fake = await fakeAntMedia({ token: "a.jwt.token", broadcasts: 120 });
    const polled = source("ant-media", fake.url, { token: "a.jwt.token", application: "LiveApp" });
    const { streams } = reportOf(await reader(polled)()) as { streams: string[] };
    expect(streams.length).toBe(120);
    expect(fake.asked.length).toBe(1 + 3);
  });

  it("is logged in to once, and again when it has forgotten", async () => {
    const fake = await fakeAntMedia({ password: "s3cret-word" });
    const login = { username: "admin@example.net", password: "s3cret-word" };
    const read = reader(source("ant-media", fake.url, { ...login, application: "LiveApp" }));
    const logins = () => fake.asked.filter((line) => line.startsWith("POST")).length;
    for (let i = 0; i < 3; i++)
      expect(reportOf(await read())).toMatchObject({ viewers: 316, streams: ["cam0"] });
    expect(logins()).toBe(1);
    fake.forget();
    expect(reportOf(await read())).toMatchObject({ viewers: 316 });
    expect(logins()).toBe(2);
  });

  it("is not besieged with a password that it refuses", async () => {
    const fake = await fakeAntMedia({ password: "s3cret-word" });
    const login = { username: "admin@example.net", password: "wrong-word" };
    const read = reader(source("ant-media", fake.url, login), 5);
    expect(problemOf(await read())).toMatch(/refuses the log-in: check username and password/);
    for (let i = 0; i < 20; i++) expect(problemOf(await read())).toMatch(/not tried again/);
    expect(fake.asked.filter((line) => line.startsWith("POST")).length).toBe(1);
  });

  it.each([
    [0, /closed the connection/],
    [404, /404/],
    [503, /503/],
  ])(
    "has not refused a log-in while it does not work (%s), and is read as soon as it does",
    async (status, problem) => {
      const fake = await fakeAntMedia({ password: "s3cret-word" });
      const login = { username: "admin@example.net", password: "s3cret-word" };
      const read = reader(source("ant-media", fake.url, login));
      fake.answerWith(status);
      for (let i = 0; i < 3; i++) expect(problemOf(await read())).toMatch(problem);
      fake.answerWith(200);
      expect(reportOf(await read())).toMatchObject({ viewers: 316 });
      fake.answerWith(status);
      fake.forget();
      expect(problemOf(await read())).toMatch(problem);
      fake.answerWith(200);
      expect(reportOf(await read())).toMatchObject({ viewers: 316 });
    },
  );

  it("that refused a password is left alone also when it was away meanwhile", async () => {
    const fake = await fakeAntMedia({ password: "s3cret-word" });
    const login = { username: "admin@example.net", password: "wrong-word" };
    const read = reader(source("ant-media", fake.url, login), 20);
    expect(problemOf(await read())).toMatch(/refuses the log-in/);
    fake.answerWith(503);
    for (let i = 0; i < 3; i++) expect(problemOf(await read())).toMatch(/503/);
    fake.answerWith(200);
    expect(problemOf(await read())).toMatch(/not tried again/);
    expect(fake.asked.filter((line) => line.startsWith("POST")).length).toBe(1);
  });

  it("says so where nothing lets us in", async () => {
    const fake = await fakeAntMedia({ token: "a.jwt.token" });
    expect(problemOf(await reader(source("ant-media", fake.url, { token: "bad" }))())).toMatch(/403/);
  });
});

describe("OvenMediaEngine", () => {
  it("is shown its token, and its rate is that of its octets, since its throughput freezes", async () => {
    const fake = await fakeOvenMediaEngine("tok", 10_000_000);
    const read = reader(source("ovenmediaengine", fake.url, { token: "tok", application: "app" }), 10);
    await read();
    expect(reportOf(await read())).toEqual({ viewers: 197, bandwidth: 8_000_000, streams: ["cam1", "cam2"] });
    expect(problemOf(await reader(source("ovenmediaengine", fake.url))())).toMatch(/401/);
  });

  it("is asked in the virtual host that the application names", async () => {
    const fake = await fakeOvenMediaEngine("tok", 0);
    const pulled = await reader(
      source("ovenmediaengine", fake.url, { token: "tok", application: "tv/a b" }),
    )();
    expect(fake.asked.at(-1)).toBe("GET /v1/vhosts/tv/apps/a%20b/streams");
    expect(pulled.fields.find(({ field }) => field === "streams")?.problem).toMatch(/404/);
  });
});

describe("Flashphoner", () => {
  it.each([true, false])("tells its streams (in the statistics: %s)", async (listsViewers) => {
    const fake = await fakeFlashphoner({ listsViewers });
    const pulled = await reader(source("flashphoner", fake.url))();
    expect(reportOf(pulled)).toMatchObject({
      viewers: 49,
      streams: listsViewers ? ["cam1", "cam2"] : ["cam1"],
    });
    expect(fake.asked.length).toBe(listsViewers ? 1 : 2);
  });
});
