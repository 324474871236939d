import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { startProbes } from "../../src/probe/prober.ts";
import { probeRtmp } from "../../src/probe/rtmp.ts";
import { probeEdge } from "../../src/probe/once.ts";
import { address, edge, hlsProbe, inventoryOf, rtmpProbe } from "./inventory.ts";
import { isNginxRtmpMissing, publish, startNginxRtmp } from "./nginx.ts";

const TARGET_DURATION_MS = 2000;

describe.skipIf(isNginxRtmpMissing)("nginx-rtmp", () => {
  it("passes the rtmp probe, with and without an application, and fails it on its HTTP port", async () => {
    const { rtmpPort, httpPort } = await startNginxRtmp();
    const probe = (other: Parameters<typeof rtmpProbe>[1], port = rtmpPort) =>
      probeRtmp(address("127.0.0.1"), rtmpProbe(port, other), { clock: systemClock });
    await expect.poll(() => probe({}), { timeout: 5000 }).toMatchObject({ ok: true });
    expect(await probe({ application: "live" })).toMatchObject({ ok: true });
    expect((await probe({ application: "nothing" })).ok).toBe(false);
    expect((await probe({}, httpPort)).ok).toBe(false);
  });

  it("passes the hls probe while it is published to, and fails it within two target durations after", async () => {
    const { rtmpPort, httpPort } = await startNginxRtmp();
    const timing = { intervalMs: 150, timeoutMs: 150, rise: 1, fall: 1 };
    const probe = hlsProbe(`http://127.0.0.1:${httpPort}/hls/cam1.m3u8`, timing);
    const origin = edge("origin", { probe });
    let health = "";
    const prober = startProbes({
      log: { info() {}, warn() {}, error() {} },
      onHealth: (_, { health: is, reason }) => {
        health = is === "up" ? is : `${is} ${reason}`;
      },
    });
    onTestFinished(() => prober.stop());
    prober.take(inventoryOf([origin]));
    await expect.poll(() => health, { timeout: 10_000 }).toBe("down status");
    const publisher = publish(rtmpPort, "cam1");
    await expect.poll(() => health, { timeout: 20_000 }).toBe("up");
    expect(await probeEdge(origin, inventoryOf([origin]))).toMatchObject([{ result: { ok: true } }]);
    await publisher.stop();
    const stoppedMs = performance.now();
    await expect.poll(() => health, { timeout: 3 * TARGET_DURATION_MS, interval: 20 }).toBe("down stale");
    expect(performance.now() - stoppedMs).toBeLessThan(2 * TARGET_DURATION_MS);
  }, 60_000);
});
